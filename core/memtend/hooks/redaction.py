"""Leaving secrets out of what is kept. A net with wide meshes: it knows obvious names and forms.

By default it has little to do, for what a tool was given is kept as names and sizes only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from memtend.limits import HOOK_INPUT_CHARS_MAX, HOOK_INPUT_ITEMS_MAX

REDACTED: Final = "[redacted]"
_NAMES = (
    r"pass(?:word|wd|phrase)?|secret|token|api[_-]?key|credential|private[_-]?key|authorization"
)


class _Nets(NamedTuple):
    secret_name: re.Pattern[str]
    secret: re.Pattern[str]
    said: re.Pattern[str]


@cache
def _nets() -> _Nets:
    """Compiled when there is something to look through: most hooks keep no text."""
    return _Nets(
        re.compile(rf"{_NAMES}|^(?:auth|cookie|pwd)$", re.IGNORECASE),
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
            r"|\b(?:sk|pk|rk)(?:-|_live_|_test_)[A-Za-z0-9_-]{16,}"
            r"|\b(?:gh[pousr]|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{10,}"
            r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
            r"|\b(?:AIza|hf_|npm_|pypi-)[A-Za-z0-9_-]{30,}"
            r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
            r"|(?<=://)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)"
            r"|(?<=\b[Bb]earer )[A-Za-z0-9._~+/=-]{8,}"
            r"|(?<=uthorization: Basic )[A-Za-z0-9+/=]{1,4096}"
            r"|(?<=--password )\S{1,256}|(?<=--token )\S{1,256}",
            re.DOTALL,
        ),
        re.compile(
            rf"(?P<name>[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,40}}[\"']?\s{{0,4}}[=:]\s{{0,4}})"
            r"(?:(?P<quote>[\"'])(?:(?!(?P=quote)).){1,4096}|[^\s\"',;&]{1,4096})",
            re.IGNORECASE,
        ),
    )


def redact(text: str) -> str:
    """The text without what looks like a key, a token or a password."""
    nets = _nets()
    return nets.said.sub(rf"\g<name>\g<quote>{REDACTED}", nets.secret.sub(REDACTED, text))


def sizes(given: dict[str, Any]) -> dict[str, int]:
    """What a tool was given, by name: how many characters, items or bytes of JSON."""
    return {_name(name): _size(value) for name, value in _few(given.items())}


def redacted(value: Any, depth: int = 4) -> Any:
    """A value to keep: cut, flattened below `depth`, and without what looks like a secret."""
    if isinstance(value, str):
        return redact(value[:HOOK_INPUT_CHARS_MAX])
    if isinstance(value, dict):
        if depth == 0:
            return sizes(value)
        return {
            _name(name): REDACTED if _nets().secret_name.search(name) else redacted(one, depth - 1)
            for name, one in _few(value.items())
        }
    if isinstance(value, list):
        return [redacted(one, depth - 1) for one in _few(value)] if depth else len(value)
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)
    return value


def _few(items: Any) -> list[Any]:
    return list(items)[:HOOK_INPUT_ITEMS_MAX]


def _name(name: str) -> str:
    return name if len(name) < 32 else redact(name[:128])


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | dict) else len(str(value))
