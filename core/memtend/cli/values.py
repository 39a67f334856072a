"""Values and options as people type them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from memtend.durations import parse_duration
from memtend.errors import LimitExceeded
from memtend.limits import TTL_MS_MAX, VALUE_BYTES_MAX

if TYPE_CHECKING:
    from memtend.model.query import Cold

STDIN = "-"
_BEGINS_JSON = tuple('{["')


def context_of(text: str) -> dict[str, Any]:
    """A JSON object, as an option or argument."""
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except RecursionError:
        raise typer.BadParameter("the context is nested too deeply") from None
    except ValueError as error:
        raise typer.BadParameter(f"the context is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise typer.BadParameter("the context is no JSON object")
    return found


def value_of(text: str, key: str, *, as_text: bool) -> Any:
    """What VALUE means: JSON when it is JSON, else text.

    What begins like JSON but is none is refused: it is more likely a typing error than a note.
    """
    if text == STDIN:
        text = _stdin(key)
        if as_text:
            return text
        text = text.strip()
    if as_text:
        return text
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except RecursionError:
        why = "it is nested too deeply"
    except ValueError as error:
        if not text.startswith(_BEGINS_JSON):
            return text
        why = str(error)
    raise typer.BadParameter(f"VALUE begins like JSON but is none: {why}; --text stores it as text")


def ttl_of(text: str | None) -> int | None:
    """Milliseconds; 0 for permanent, None where the policy decides."""
    if text is None:
        return None
    if text == "permanent":
        return 0
    ttl_ms = parse_duration(text)
    if ttl_ms is None or not 0 < ttl_ms <= TTL_MS_MAX:
        why = f"{text[:64]!r} is not a time such as 90s, 12h, 1d12h, 2w, permanent"
        raise typer.BadParameter(why, param_hint="--ttl")
    return ttl_ms


def cold_of(text: str) -> Cold:
    """What a search does with archived records."""
    from memtend.model.query import Cold  # noqa: PLC0415

    try:
        return Cold(text)
    except ValueError:
        why = f"{text[:64]!r} is none of {', '.join(Cold)}"
        raise typer.BadParameter(why, param_hint="--cold") from None


def fields_of(pairs: list[str]) -> dict[str, Any]:
    """`path=value` conditions on parts of a value."""
    found: dict[str, Any] = {}
    for pair in pairs:
        path, mark, text = pair.partition("=")
        if not mark or not path:
            raise typer.BadParameter(f"{pair[:64]!r} is not PATH=VALUE", param_hint="--field")
        found[path] = value_of(text, path, as_text=text == STDIN)
    return found


def _stdin(key: str) -> str:
    data = sys.stdin.buffer.read(VALUE_BYTES_MAX + 1)
    if len(data) > VALUE_BYTES_MAX:
        raise LimitExceeded(what="size", name=key, actual=len(data), limit=VALUE_BYTES_MAX)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"standard input is not UTF-8 at byte {error.start}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found
