"""Pictures of how long to keep what: when things are read again, and what a shorter time costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from memtend.limits_learning import PICTURE_LINES_MAX
from memtend.report.chart import HEIGHT_IN, Chart, legend, tabled
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
from memtend.report.texts import clean, count, short_size, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.model.pictures import Estimate, Frontier, Survival

_TIMES: Final = (
    (1_000, "1 s"), (60_000, "1 min"), (3_600_000, "1 h"), (86_400_000, "1 d"),
    (7 * 86_400_000, "1 w"), (30 * 86_400_000, "1 mo"), (365 * 86_400_000, "1 y"),
)  # fmt: skip
_ROWS_OF_EACH: Final = 12
_ROLES: Final = {"chosen": "proposed", "current": "today"}


def survivals(found: Sequence[Survival]) -> Chart | None:
    """When what was accessed is accessed again, by class of keys; None where nothing is known."""
    lines = list(found[:PICTURE_LINES_MAX])
    if not lines:
        return None
    said = "How much of what was accessed had not been accessed again until then. "
    said += " ".join(_told(one) for one in lines[:2])
    rows = [
        (clean(one.name), count(one.accesses), _ttl(one.current_ms), _ttl(one.chosen_ms), span(ms),
         percent(share.value), ranged(share, percent))
        for one in lines
        for ms, share in _thin(one.points)
    ]  # fmt: skip
    columns = ("class", "accesses", "kept now", "proposed", "after", "not yet again", "between")
    legends = -(-(len(lines) + 2) // 2)
    svg = draw(
        "survivals", HEIGHT_IN + 0.18 * legends, lambda axes: _paint_survivals(axes, lines),
        legend_rows=legends,
    )  # fmt: skip
    return Chart(said, svg, tabled(columns, rows, (1, 2, 3, 4, 5, 6)))


def _told(one: Survival) -> str:
    return (
        f"{clean(one.name)} is kept {_ttl(one.current_ms)} and proposed to be kept "
        f"{_ttl(one.chosen_ms)}."
    )


def _ttl(ms: int | None) -> str:
    return "for ever" if ms is None else span(ms)


def _thin(points: Sequence[tuple[int, Estimate]]) -> list[tuple[int, Estimate]]:
    step = -(-len(points) // _ROWS_OF_EACH)
    return list(points[::step])


def _paint_survivals(axes: Axes, lines: Sequence[Survival]) -> None:
    first = max(1_000, min(ms for one in lines for ms, _ in one.points if ms > 0))
    last = max(ms for one in lines for ms, _ in one.points)
    axes.set_xscale("log")
    for one, (colour, dash, _) in zip(lines, LOOKS, strict=False):
        xs, ys = [max(ms, first) for ms, _ in one.points], [share.value for _, share in one.points]
        axes.step(
            xs, ys, where="post", color=ink(colour), linewidth=1.6, linestyle=dash,
            label=labelled(one.name, LABEL_CHARS),
        )  # fmt: skip
        sure = [(max(ms, first), share) for ms, share in _thin(one.points)]
        axes.errorbar(
            [ms for ms, _ in sure], [share.value for _, share in sure],
            yerr=bounds([share for _, share in sure]), fmt="none", ecolor=ink(colour),
            elinewidth=0.7,
        )  # fmt: skip
    for which, mark, face, label in (
        ("current_ms", "o", "card", "kept now"), ("chosen_ms", "D", "ink", "proposed"),
    ):  # fmt: skip
        at = [(one, getattr(one, which)) for one in lines if getattr(one, which) is not None]
        if at:
            axes.plot(
                [min(max(ms, first), last) for _, ms in at], [_share(one, ms) for one, ms in at],
                linestyle="", marker=mark, markersize=6.5, markerfacecolor=ink(face),
                markeredgecolor=ink("ink"), label=label,
            )  # fmt: skip
    percent_axis(axes, "y")
    ticks = [(ms, name) for ms, name in _TIMES if first <= ms <= last]
    axes.set_xticks([ms for ms, _ in ticks], [name for _, name in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(first, last * 1.05)
    legend(axes, 2)


def _share(one: Survival, ms: int) -> float:
    """What the curve is at."""
    found = (share.value for at, share in reversed(one.points) if at <= ms)
    return next(found, one.points[0][1].value)


def frontier(found: Sequence[Frontier]) -> Chart | None:
    """What is stored against what is missed; None where nothing was tried."""
    if not found:
        return None
    ordered = sorted(found, key=lambda one: (one.stored, one.missed))
    roles = {one.role: one for one in ordered if one.role}
    said = "Each mark is a way to keep, for a mean access: the lower left, the better."
    chosen, current = roles.get("chosen"), roles.get("current")
    if chosen is not None:
        said += f" What is proposed stores {_amount(chosen.stored)}, and {percent(chosen.missed)} "
        said += "of the reads would have come too late"
        if current is not None:
            said += f"; today it is {_amount(current.stored)} and {percent(current.missed)}"
        said += "."
    rows = [
        (clean(one.line), clean(one.name), _amount(one.stored), percent(one.missed),
         _ROLES.get(one.role, one.role))
        for one in ordered
    ]  # fmt: skip
    columns = ("way to keep", "at", "stored", "reads too late", "what it is")
    svg = draw(
        "frontier", HEIGHT_IN + 0.18, lambda axes: _paint_frontier(axes, ordered), legend_rows=2
    )
    return Chart(said, svg, tabled(columns, rows, (2, 3)))


def _amount(stored: float) -> str:
    return f"{short_size(stored)}·d"


def _paint_frontier(axes: Axes, ordered: Sequence[Frontier]) -> None:
    for line, (colour, dash, mark) in zip(
        dict.fromkeys(one.line for one in ordered), LOOKS, strict=False
    ):
        some = [one for one in ordered if one.line == line]
        axes.plot(
            [one.stored for one in some], [one.missed for one in some], color=ink(colour),
            linewidth=1.1, linestyle=dash, marker=mark, markersize=3.2,
            label=labelled(line, LABEL_CHARS),
        )  # fmt: skip
    for role, mark, face in (("current", "o", "card"), ("chosen", "D", "ink")):
        these = [one for one in ordered if one.role == role]
        if these:
            axes.plot(
                [one.stored for one in these], [one.missed for one in these], linestyle="",
                marker=mark, markersize=7.5, markerfacecolor=ink(face), markeredgecolor=ink("ink"),
                markeredgewidth=1.5, label=_ROLES[role], clip_on=False, zorder=3,
            )  # fmt: skip
    most, worst = max(one.stored for one in ordered), max(one.missed for one in ordered)
    axes.set_xlim(0, most * 1.08 or 1.0)
    axes.set_ylim(-0.03 * (worst or 1.0), (worst or 1.0) * 1.1)
    at = [most * n / 2 for n in range(3)]
    axes.set_xticks(at, [_amount(one) for one in at])
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    axes.locator_params(axis="y", nbins=4)
    ticks = [tick for tick in axes.get_yticks() if 0 <= tick <= worst * 1.1]
    axes.set_yticks(ticks, [f"{100 * tick:.4g}%" for tick in ticks])
    axes.grid(axis="y", linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)
    legend(axes, 3)
