"""What ends when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.report.chart import HEIGHT_IN, Chart, bars, capital, count_axis, counted, tabled
from memtend.report.drawing import draw
from memtend.report.facts import Due
from memtend.report.texts import count, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from memtend.report.facts import ReportFacts

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
STRETCHES: Final = (
    ("1 h", _HOUR_MS), ("1 d", _DAY_MS), ("3 d", 3 * _DAY_MS), ("1 w", 7 * _DAY_MS),
    ("1 mo", 30 * _DAY_MS), ("3 mo", 91 * _DAY_MS), ("1 y", 365 * _DAY_MS),
)  # fmt: skip
"""How far ahead each bar reaches. Before them comes what is over, behind them everything later."""


def edges(now_ms: int) -> list[int]:
    """Where one bar ends and the next begins."""
    return [now_ms, *(now_ms + ms for _, ms in STRETCHES)]


def dues(now_ms: int, counts: Sequence[tuple[int, bool]]) -> tuple[Due, ...]:
    """The bars from what was counted between the edges."""
    names = ("over", *(name for name, _ in STRETCHES), "later")
    bounds = (None, *edges(now_ms), None)
    return tuple(
        Due(name, bounds[n], bounds[n + 1], records, exact)
        for n, (name, (records, exact)) in enumerate(zip(names, counts, strict=True))
    )


def expiring(facts: ReportFacts) -> Chart | None:
    """None where nothing ever ends."""
    ending = sum(one.records for one in facts.expiry)
    if not ending:
        return None
    exact = all(one.exact for one in facts.expiry)
    stays = max(0, facts.records - ending)
    rows = [(_stretch(one), _about(one.records, one.exact)) for one in facts.expiry]
    rows.append(("never", _about(stays, exact)))
    over, near = facts.expiry[0].records, sum(one.records for one in facts.expiry[1:3])
    said = (
        f"{_about(near, exact)} of {counted(facts.records, 'record')} end within a day, "
        f"{_about(stays, exact)} stay until somebody deletes them"
    )
    said += f"; {counted(over, 'record')} waited to be swept." if over else "."
    svg = draw("expiry", HEIGHT_IN, lambda axes: _paint(axes, facts.expiry))
    return Chart(capital(said), svg, tabled(("ends", "records"), rows, (1,)))


def _paint(axes: Axes, found: Sequence[Due]) -> None:
    heights = [float(one.records) for one in found]
    count_axis(axes, max(heights) * 1.08)
    bars(axes, heights, [one.label for one in found], [not one.exact for one in found])


def _about(number: int, exact: bool) -> str:
    return count(number) if exact else f"about {count(number)}"


def _stretch(one: Due) -> str:
    if one.after_ms is None:
        return "before now, and waits to be swept"
    if one.until_ms is None:
        return f"after {when(one.after_ms)}"
    return f"{when(one.after_ms)} to {when(one.until_ms)}"
