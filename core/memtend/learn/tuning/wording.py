"""Why a time to live is proposed, in words that a policy file can keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.durations import show_duration, show_ttl

if TYPE_CHECKING:
    from memtend.learn.tuning.facts import ClassFacts, Figure

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def proposed(one: ClassFacts, ttl_ms: int | None, bound: str) -> str:
    """What speaks for it, with the intervals."""
    said = one.proposal
    if said is None or ttl_ms is None:
        return ""
    now = show_ttl(one.policy.ttl_ms)
    best = f", held at the {bound}" if bound else ""
    return (
        f"{now} -> {show_duration(ttl_ms)}{best}: of {one.accesses:,} accesses {one.reused:,} were "
        f"followed by another; {_bytes(said.bytes)}, {_misses(said.misses)}"
    )


def _bytes(change: Figure) -> str:
    if change.value <= 0:
        low, high = size(-change.high), size(-change.low)
        return f"keeps {size(-change.value)} less ({low} to {high})"
    return f"keeps {size(change.value)} more ({size(change.low)} to {size(change.high)})"


def _misses(change: Figure) -> str:
    if not any(change):
        return "no more reads come too late"
    if change.value >= 0:
        return (
            f"{change.value:,.1f} more reads a day come too late "
            f"({change.low:,.1f} to {change.high:,.1f})"
        )
    return (
        f"{-change.value:,.1f} fewer reads a day come too late "
        f"({-change.high:,.1f} to {-change.low:,.1f})"
    )


def size(count: float) -> str:
    """Bytes in a unit that a person can read; a change may be negative."""
    for unit, one in _UNITS:
        if abs(count) >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count:,.0f} B"
