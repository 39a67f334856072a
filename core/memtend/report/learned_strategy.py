"""Pictures of a model of strategies: whether it keeps its word, and what following it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.limits_learning import PICTURE_LINES_MAX
from memtend.report.chart import HEIGHT_IN, Chart, capital, counted, legend, tabled, time_axis
from memtend.report.drawing import draw
from memtend.report.learned_axes import (
    LABEL_CHARS,
    LOOKS,
    bounds,
    labelled,
    percent,
    percent_axis,
    ranged,
)
from memtend.report.palette import ink
from memtend.report.texts import clean, count, day, when

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.model.pictures import Drift, RegretCurve, Reliability, Successes

_SQUARE_IN: Final = 2.9


def reliability(found: Reliability, name: str) -> Chart:
    """What was predicted against what came true."""
    total = sum(one.count for one in found.bins)
    off = [one for one in found.bins if not one.observed.low <= one.predicted <= one.observed.high]
    said = (
        f"Predicted chances of success were off by {percent(found.error)} on average, in "
        f"{counted(total, 'outcome')} that the model had not seen. "
    )
    said += (
        f"{count(len(off))} of {counted(len(found.bins), 'group')} lie surely off the line."
        if off
        else "No group lies surely off the line."
    )
    rows = [
        (percent(one.predicted), percent(one.observed.value), ranged(one.observed, percent),
         count(one.count))
        for one in found.bins
    ]  # fmt: skip
    columns = ("predicted", "came true", "between", "outcomes")
    svg = draw(f"reliability {name}", _SQUARE_IN, lambda axes: _paint_reliability(axes, found))
    return Chart(said, svg, tabled(columns, rows, (0, 1, 2, 3)))


def _paint_reliability(axes: Axes, found: Reliability) -> None:
    axes.plot((0, 1), (0, 1), color=ink("soft"), linewidth=1.2, linestyle="--", label="as promised")
    xs = [one.predicted for one in found.bins]
    ys = [one.observed.value for one in found.bins]
    axes.errorbar(
        xs, ys, yerr=bounds([one.observed for one in found.bins]), fmt="o-", markersize=5,
        color=ink("accent"), linewidth=1.2, elinewidth=1.2, capsize=2.5, label="what came true",
    )  # fmt: skip
    percent_axis(axes, "y")
    percent_axis(axes, "x")
    legend(axes)


def regret(found: RegretCurve, name: str) -> Chart:
    """What following the model would have cost, beside the best single strategy."""
    last, single = found.points[-1], clean(found.single)
    bounded = last.oracle is not None
    saved = last.single - last.learned.value
    low, high = last.single - last.learned.high, last.single - last.learned.low
    said = (
        f"In {counted(last.tasks, 'task')} always taking {single} would have cost "
        f"{last.single:,.1f}, following the model {last.learned.value:,.1f}: "
        f"{saved:,.1f} saved, between {low:,.1f} and {high:,.1f}."
    )
    if last.oracle is not None and last.single > last.oracle:
        part = percent(saved / (last.single - last.oracle))
        said += f" That is {part} of what the best strategy for each task would have saved."
    rows = [
        (when(one.at_ms), count(one.tasks), f"{one.learned.value:,.1f}",
         ranged(one.learned, "{:,.1f}".format), f"{one.single:,.1f}",
         "unknown" if one.oracle is None else f"{one.oracle:,.1f}")
        for one in found.points
    ]  # fmt: skip
    columns = ("until", "tasks", "learned", "between", "best single", "bound")
    svg = draw(f"regret {name}", HEIGHT_IN, lambda axes: _paint_regret(axes, found, bounded))
    return Chart(said, svg, tabled(columns, rows, (1, 2, 3, 4, 5)))


def _paint_regret(axes: Axes, found: RegretCurve, bounded: bool) -> None:
    """Beyond the bound where it is known, else against the best single strategy: the sums
    themselves lie on one another."""
    base = [(one.oracle or 0.0) if bounded else one.single for one in found.points]
    xs = [one.tasks for one in found.points]
    low, middle, high = (
        [getattr(one.learned, side) - zero for one, zero in zip(found.points, base, strict=True)]
        for side in ("low", "value", "high")
    )
    single = [one.single - zero for one, zero in zip(found.points, base, strict=True)]
    axes.fill_between(
        xs, low, high, facecolor="none", edgecolor=ink("accent"), hatch="////", linewidth=0.4,
        label="90% band",
    )  # fmt: skip
    axes.plot(xs, middle, color=ink("accent"), linewidth=1.8, label="learned")
    axes.plot(xs, single, color=ink("second"), linewidth=1.6, linestyle="--", label="best single")
    if bounded:
        axes.axhline(0, color=ink("good"), linewidth=1.4, linestyle=":", label="bound")
    _cost_axis(axes, [*low, *high, *single, 0.0])
    axes.set_xlim(0, xs[-1] * 1.02)
    axes.set_xticks([0, xs[-1] / 2, xs[-1]], ["0", count(xs[-1] / 2), f"{count(xs[-1])} tasks"])
    axes.get_xticklabels()[-1].set_horizontalalignment("right")
    legend(axes)


def _cost_axis(axes: Axes, values: list[float]) -> None:
    low, high = min(values), max(values)
    room = (high - low) * 0.05 or 1.0
    axes.set_ylim(low - room, high + room)
    axes.locator_params(axis="y", nbins=5)
    axes.grid(axis="y", linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)


def drift(found: Drift, name: str) -> Chart:
    """Whether the world is still the one that was learned from."""
    at_ms, most = max(found.points, key=lambda one: one[1])
    over = [ms for ms, value in found.points if value > found.limit]
    said = f"{capital(clean(found.name))} moved most by {day(at_ms)}: {most:.3g}, where chance "
    said += f"alone stays below {found.limit:.3g}."
    said += f" It was over the limit first on {day(over[0])}." if over else " It was never over it."
    if found.said:
        said += f" {found.said}"
    rows = [
        (when(ms), f"{value:.3g}", "OVER" if value > found.limit else "") for ms, value in
        reversed(found.points)
    ]  # fmt: skip
    svg = draw(f"drift {name}", 2.1, lambda axes: _paint_drift(axes, found))
    return Chart(said, svg, tabled(("at", "statistic", "limit"), rows, (1,)))


def _paint_drift(axes: Axes, found: Drift) -> None:
    xs, ys = [ms for ms, _ in found.points], [value for _, value in found.points]
    axes.plot(
        xs, ys, color=ink("accent"), linewidth=1.6, marker="o", markersize=2.6, label="statistic"
    )
    over = [(ms, value) for ms, value in found.points if value > found.limit]
    if over:
        axes.plot(
            [ms for ms, _ in over], [value for _, value in over], linestyle="", marker="X",
            markersize=6.5, color=ink("bad"), label="over it",
        )  # fmt: skip
    axes.axhline(found.limit, color=ink("bad"), linewidth=1.4, linestyle=":", label="alarm limit")
    _cost_axis(axes, [*ys, found.limit, 0.0])
    time_axis(axes, xs[0], xs[-1])
    legend(axes)


def successes(found: tuple[Successes, ...], name: str) -> Chart | None:
    """How strategies have done, period by period; None where nobody followed one."""
    lines = [one for one in found if one.points][:PICTURE_LINES_MAX]
    if not lines:
        return None
    newest = [(one.points[-1][1].value, clean(one.strategy)) for one in lines]
    best, worst = max(newest), min(newest)
    said = f"In its newest period {best[1]} succeeded in {percent(best[0])} of its tasks"
    said += f"; the least did {worst[1]}, in {percent(worst[0])}." if len(lines) > 1 else "."
    said += " Who chose them may have given them different tasks."
    rows = [
        (clean(one.strategy), when(ms), percent(share.value), ranged(share, percent), count(n))
        for one in lines
        for ms, share, n in reversed(one.points)
    ]
    columns = ("strategy", "around", "succeeded", "between", "outcomes")
    legends = -(-len(lines) // 2)
    svg = draw(
        f"successes {name}", HEIGHT_IN + 0.18 * legends,
        lambda axes: _paint_successes(axes, lines), legend_rows=legends,
    )  # fmt: skip
    return Chart(said, svg, tabled(columns, rows, (2, 3, 4)))


def _paint_successes(axes: Axes, lines: list[Successes]) -> None:
    for one, (colour, dash, mark) in zip(lines, LOOKS, strict=False):
        axes.errorbar(
            [ms for ms, _, _ in one.points], [share.value for _, share, _ in one.points],
            yerr=bounds([share for _, share, _ in one.points]), color=ink(colour), linewidth=1.5,
            linestyle=dash, marker=mark, markersize=4.5, elinewidth=0.7,
            label=labelled(one.strategy, LABEL_CHARS),
        )  # fmt: skip
    percent_axis(axes, "y")
    times = [ms for one in lines for ms, _, _ in one.points]
    time_axis(axes, min(times), max(times))
    legend(axes, 2)
