"""Bars with intervals: where a model closes how much of the gap, and which features it goes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.report.chart import Chart, counted, legend, tabled
from memtend.report.drawing import draw
from memtend.report.learned_axes import bounds, labelled, percent, ranged
from memtend.report.palette import ink
from memtend.report.texts import clean, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.model.pictures import Estimate, GapBar, Influence

_BAR_IN: Final = 0.42
_EDGES_IN: Final = 0.62
_NAME_CHARS: Final = 44
_SHOWN: Final = 10
_LEAST: Final = -1.0
"""Of the axis: how far below nothing a bar is drawn; the table says the rest."""


class Bar(NamedTuple):
    name: str
    value: Estimate
    solid: bool


def gaps(found: Sequence[GapBar], name: str) -> Chart | None:
    """How much of the possible gain is had; None where nothing was learned."""
    if not found:
        return None
    followed = [one for one in found if one.adopted]
    best = max(found, key=lambda one: one.gap.value)
    said = "0 is the best single strategy, 100% the best one for each task as far as is known. "
    said += (
        f"The model is followed in {count(len(followed))} of {counted(len(found), 'place')}; the "
        f"most is closed in {clean(best.name)}, {percent(best.gap.value)} (between "
        f"{ranged(best.gap, percent).replace(' to ', ' and ')})."
    )
    rows = [
        (clean(one.name), percent(one.gap.value), ranged(one.gap, percent), count(one.tasks),
         "followed" if one.adopted else "single best kept")
        for one in found
    ]  # fmt: skip
    columns = ("where", "closed", "between", "tasks", "what is done")
    shown = [Bar(one.name, one.gap, one.adopted) for one in found[:_SHOWN]]
    return Chart(
        said,
        _drawn(f"gaps {name}", shown, ("followed", "single best kept"), unit_line=True),
        tabled(columns, rows, (1, 2, 3)),
    )


def influences(found: Sequence[Influence], name: str) -> Chart | None:
    """Which features matter; None where none was looked at."""
    if not found:
        return None
    ordered = sorted(found, key=lambda one: -one.share.value)
    sure = [one for one in ordered if one.share.low > 0]
    said = f"{clean(ordered[0].feature)} matters most: without it costs would be "
    said += f"{percent(ordered[0].share.value)} higher. "
    said += (
        f"{count(len(sure))} of {counted(len(ordered), 'feature')} surely matter."
        if sure
        else "None of them surely matters."
    )
    rows = [
        (clean(one.feature), percent(one.share.value), ranged(one.share, percent))
        for one in ordered
    ]
    shown = [Bar(one.feature, one.share, one.share.low > 0) for one in ordered[:_SHOWN]]
    return Chart(
        said,
        _drawn(f"influences {name}", shown, ("surely", "perhaps nothing"), unit_line=False),
        tabled(("feature", "costs rise by", "between"), rows, (1, 2)),
    )


def _drawn(name: str, shown: Sequence[Bar], words: tuple[str, str], *, unit_line: bool) -> str:
    height = _EDGES_IN + _BAR_IN * len(shown)
    return draw(name, height, lambda axes: _paint(axes, shown, words, unit_line), narrow=True)


def _paint(axes: Axes, shown: Sequence[Bar], words: tuple[str, str], unit_line: bool) -> None:
    """Names stand above their bars: they are longer than any margin."""
    low = max(_LEAST, min(0.0, *(one.value.low for one in shown)))
    high = max(1.0 if unit_line else 0.001, *(min(one.value.high, 2.0) for one in shown))
    for solid in (True, False):
        rows = [n for n, one in enumerate(shown) if one.solid is solid]
        if not rows:
            continue
        values = [shown[n].value for n in rows]
        axes.barh(
            [-n for n in rows], [one.value for one in values], height=0.34,
            color=ink("fill1" if solid else "card"), edgecolor=ink("accent" if solid else "soft"),
            hatch="" if solid else "////", linewidth=0.9, xerr=bounds(values),
            error_kw={"ecolor": ink("ink"), "elinewidth": 1.1, "capsize": 2.5},
            label=words[0 if solid else 1],
        )  # fmt: skip
    room = (high - low) * 0.03
    for n, one in enumerate(shown):
        name = labelled(one.name, _NAME_CHARS)
        ground = {"facecolor": ink("card"), "edgecolor": "none", "pad": 0.6}
        axes.text(low, -n + 0.26, name, ha="left", va="bottom", fontsize=8.6, bbox=ground)
    axes.axvline(0, color=ink("soft"), linewidth=1.1, zorder=0.9)
    if unit_line:
        axes.axvline(1, color=ink("good"), linewidth=1.3, linestyle=":", zorder=0.9)
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(-len(shown) + 0.6, 0.75)
    axes.set_yticks(())
    axes.locator_params(axis="x", nbins=5)
    ticks = [tick for tick in axes.get_xticks() if low - room <= tick <= high + room]
    axes.set_xticks(ticks, [f"{100 * tick:.4g}%" for tick in ticks])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)
    legend(axes, left=0.0)
