"""How the store has grown, where that leads, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.limits_upkeep import FORECAST_SHARE, REPORT_POINTS_MAX
from memtend.report.chart import HEIGHT_IN, Chart, legend, size_axis, tabled, time_axis
from memtend.report.drawing import draw
from memtend.report.forecast import Forecast, Reached, forecast, thinned
from memtend.report.palette import ink
from memtend.report.texts import day, size, span, when

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.report.facts import Point, ReportFacts

_QUOTA_SHOWN = 3.0
"""The quota is drawn once the store has come so near that both fit into one drawing."""
_STEPS = 12


def growth(facts: ReportFacts) -> Chart | None:
    """None where there is no history yet."""
    points = thinned(facts.growth, REPORT_POINTS_MAX)
    if len(points) < 2:
        return None
    ahead = forecast(facts.growth)
    svg = draw("growth", HEIGHT_IN, lambda axes: _paint(axes, points, ahead, facts.quota_bytes))
    rows = [(when(one.at_ms), size(one.value), "") for one in points]
    for ms in _ahead(ahead) if ahead else ():
        low, middle, high = ahead.at(ms) if ahead else (0.0, 0.0, 0.0)
        rows.append((when(ms), f"about {size(middle)}", f"{size(low)} to {size(high)}"))
    table = tabled(("at", "content", "forecast between"), rows, (1, 2))
    return Chart(_said(points, ahead, facts.quota_bytes), svg, table)


def _ahead(found: Forecast) -> list[int]:
    step = (found.until_ms - found.last_ms) / _STEPS
    return [round(found.last_ms + step * n) for n in range(_STEPS + 1)]


def _paint(axes: Axes, points: list[Point], ahead: Forecast | None, quota: int) -> None:
    xs, ys = [one.at_ms for one in points], [one.value for one in points]
    axes.plot(
        xs, ys, color=ink("accent"), linewidth=1.8, marker="o", markersize=2.6, label="content"
    )
    most, last = max(ys), xs[-1]
    if ahead is not None:
        at = _ahead(ahead)
        band = [ahead.at(ms) for ms in at]
        low, high = [one.low for one in band], [one.high for one in band]
        axes.fill_between(
            at, low, high, facecolor="none", edgecolor=ink("second"), hatch="////", linewidth=0.4,
            label=f"{FORECAST_SHARE:.0%} band",
        )  # fmt: skip
        axes.plot(
            at, [one.middle for one in band], color=ink("second"), linewidth=1.6, linestyle="--",
            label="forecast",
        )  # fmt: skip
        most, last = max(most, *(one.high for one in band)), at[-1]
    if quota <= _QUOTA_SHOWN * most:
        axes.axhline(quota, color=ink("bad"), linewidth=1.4, linestyle=":", label="quota")
        most = max(most, quota)
    size_axis(axes, most)
    time_axis(axes, xs[0], last)
    legend(axes)


def _said(points: list[Point], ahead: Forecast | None, quota: int) -> str:
    first, last = points[0], points[-1]
    text = f"From {size(first.value)} to {size(last.value)} in {span(last.at_ms - first.at_ms)}."
    if ahead is None:
        return f"{text} That is too short for a forecast."
    now, then = ahead.until_ms - ahead.last_ms, ahead.at(ahead.until_ms)
    text += (
        f" If it goes on like that, about {size(then.middle)} in {span(now)}, between "
        f"{size(then.low)} and {size(then.high)}: of the forecasts tried on this history, "
        f"{FORECAST_SHARE:.0%} were no farther off."
    )
    return f"{text} {_quota_said(ahead.reaches(quota), size(quota))}"


def _quota_said(found: Reached, quota: str) -> str:
    if found.first_ms is None:
        return f"The quota of {quota} is not reached in that time."
    earliest = f"at the earliest on {day(found.first_ms)}"
    if found.middle_ms is None:
        return f"The quota of {quota} is reached {earliest}, and probably not in that time."
    return f"The quota of {quota} is reached about {day(found.middle_ms)}, {earliest}."
