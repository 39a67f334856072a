"""Patterns over paths: which policy or grant governs `namespace/key`.

Segments are joined by `/`. `*` stands for any text inside one segment, `**` for any number of
segments. A pattern governs what it matches and everything below:

    >>> compile_pattern("coordination/*").governs("coordination/agent-1/progress")
    True
    >>> compile_pattern("task/*/status").governs("task/42/log")
    False

The most specific pattern wins, compared segment by segment: text > text with `*` (more text
first) > `*` > `**`; then the longer one; then the order of the texts, so that the order is total:

    >>> texts = ["**", "swarm/*", "swarm/shared/*", "swarm/shared/decisions"]
    >>> [p.text for p in most_specific_first(map(compile_pattern, texts))]
    ['swarm/shared/decisions', 'swarm/shared/*', 'swarm/*', '**']

Matching takes linear time for any pattern: no pattern can be written that makes it slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from memtend.errors import InvalidName
from memtend.limits import PATH_BYTES_MAX, PATH_SEGMENTS_MAX

_SEGMENT = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:@=+*-]*", re.ASCII)
_END = r"(?:/|\Z)"

Specificity = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Made by `compile_pattern` only. A greater `specificity` is more specific."""

    text: str
    specificity: Specificity = field(compare=False)
    _segments: tuple[re.Pattern[str] | None, ...] = field(repr=False, compare=False)
    _whole: re.Pattern[str] = field(repr=False, compare=False)

    def governs(self, path: str) -> bool:
        """Whether the pattern matches `path` or one of its parents."""
        return self._whole.match(path) is not None

    def may_govern_below(self, path: str) -> bool:
        """Whether some path at or below `path` could be governed."""
        for segment, own in zip(path.split("/"), self._segments, strict=False):
            if own is None:
                return True
            if own.fullmatch(segment) is None:
                return False
        return True


@lru_cache(maxsize=4_096)
def compile_pattern(text: str) -> Pattern:
    """Check and compile; raises `InvalidName` with the reason."""
    segments = _split(text)
    return Pattern(
        text,
        tuple(_rank(segment) for segment in segments),
        tuple(None if s == "**" else re.compile(_segment(s), re.ASCII) for s in segments),
        re.compile(_path(segments), re.ASCII),
    )


def most_specific_first(patterns: Iterable[Pattern]) -> list[Pattern]:
    by_text = sorted(patterns, key=lambda pattern: pattern.text)
    return sorted(by_text, key=lambda pattern: pattern.specificity, reverse=True)


def why_wins(winner: Pattern, loser: Pattern) -> str:
    """In words: what makes `winner` the more specific of two patterns that match one path."""
    pairs = zip(winner.specificity, loser.specificity, strict=False)
    for place, (ours, theirs) in enumerate(pairs, start=1):
        if ours != theirs:
            mine, other = winner.text.split("/")[place - 1], loser.text.split("/")[place - 1]
            return f"segment {place}: {mine!r} is more specific than {other!r}"
    if len(winner.specificity) != len(loser.specificity):
        return f"{winner.text!r} has more segments"
    return f"equally specific; {winner.text!r} comes first in order of text"


def _split(text: str) -> list[str]:
    if not isinstance(text, str) or not text:
        raise InvalidName(what="pattern", name=text, why="it is empty")
    if len(text) > PATH_BYTES_MAX:
        raise InvalidName(what="pattern", name=text[:64] + "…", why=f"longer than {PATH_BYTES_MAX}")
    segments = text.split("/")
    if len(segments) > PATH_SEGMENTS_MAX:
        why = f"more than {PATH_SEGMENTS_MAX} segments"
        raise InvalidName(what="pattern", name=text, why=why)
    for before, segment in zip(["", *segments], segments, strict=False):
        if not segment:
            raise InvalidName(what="pattern", name=text, why="it has an empty segment")
        if not _SEGMENT.fullmatch(segment):
            why = f"segment {segment!r} has a character that is not allowed"
            raise InvalidName(what="pattern", name=text, why=why)
        if "**" in segment and segment != "**":
            raise InvalidName(what="pattern", name=text, why="'**' must stand alone in a segment")
        if before == segment == "**":
            raise InvalidName(what="pattern", name=text, why="'**/**' says no more than '**'")
    return segments


def _rank(segment: str) -> tuple[int, int]:
    if segment == "**":
        return 0, 0
    if segment == "*":
        return 1, 0
    if "*" in segment:
        return 2, len(segment.replace("*", ""))
    return 3, 0


def _segment(segment: str) -> str:
    """One segment. Each `*text` but the last is atomic: its leftmost match is always right."""
    if segment == "*":
        return "[^/]+"
    first, *rest = (re.escape(part) for part in segment.split("*"))
    if not rest:
        return first
    middle = "".join(f"(?>[^/]*?{part})" for part in rest[:-1])
    return f"{first}{middle}[^/]*{rest[-1]}(?={_END})"


def _path(segments: list[str]) -> str:
    """The whole pattern. `**` and the segments after it are atomic for the same reason."""
    runs: list[str] = [""]
    for segment in segments:
        if segment == "**":
            runs.append("")
        else:
            runs[-1] += _segment(segment) + _END
    head, *tail = runs
    return head + "".join(f"(?>(?:[^/]++{_END})*?{run})" for run in tail if run)
