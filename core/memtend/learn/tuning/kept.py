"""What is never tuned: what the policy file keeps, and what agents work together by.

A rule is kept when anything that it could ever govern is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.learn.tuning.facts import ClassFacts

ALWAYS_KEPT: Final = (
    "messages/**", "leases/**", "swarm-*/agent-*/state", "swarm-*/agent-*/cursors",
)  # fmt: skip
"""Seldom read, and an agent without it begins anew."""


def kept_by(one: ClassFacts, patterns: Sequence[str]) -> str:
    """The reason to leave a class alone; nothing if there is none."""
    for pattern in ALWAYS_KEPT:
        if overlaps(pattern, one.pattern):
            return f"{pattern} is how agents work together, and is never tuned"
    for pattern in patterns:
        if overlaps(pattern, one.pattern):
            return f"the policy file keeps {pattern} from being tuned"
    return ""


def overlaps(one: str, other: str) -> bool:
    """Whether some path could be governed by both, each covering what is below it too.

    >>> overlaps("knowledge/**", "knowledge/api"), overlaps("swarm-7", "swarm-*/agent-*")
    (True, True)
    >>> overlaps("a/*/c", "a/b/d")
    False
    """
    if "**" in one.split("/") or "**" in other.split("/"):
        return _open_overlaps(one.split("/"), other.split("/"))
    return all(_meet(a, b) for a, b in zip(one.split("/"), other.split("/"), strict=False))


def _open_overlaps(one: list[str], other: list[str]) -> bool:
    """With `**`, which stands for any number of segments: what comes before it decides. That may
    see too much in common, and then more is kept."""
    for a, b in zip(one, other, strict=False):
        if "**" in (a, b):
            return True
        if not _meet(a, b):
            return False
    return True


def _meet(one: str, other: str) -> bool:
    """Whether some text fits both segments."""
    if "*" in one and "*" in other:
        first, second = one.partition("*")[0], other.partition("*")[0]
        last, final = one.rpartition("*")[2], other.rpartition("*")[2]
        return (first.startswith(second) or second.startswith(first)) and (
            last.endswith(final) or final.endswith(last)
        )
    pattern, text = (one, other) if "*" in one else (other, one)
    if "*" not in pattern:
        return pattern == text
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None
