"""What upkeep has done: prunes and archive runs, backups and drills, the score of health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.clock import to_ms
from memtend.limits_upkeep import REPORT_HISTORY_MS, REPORT_POINTS_MAX
from memtend.report.chart import (
    HEIGHT_IN,
    Chart,
    capital,
    count_axis,
    counted,
    legend,
    size_axis,
    tabled,
    time_axis,
)
from memtend.report.drawing import draw
from memtend.report.forecast import thinned
from memtend.report.palette import ink
from memtend.report.texts import clean, count, size, span, when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from memtend.report.facts import Backup, Point, ReportFacts

_COLUMNS: Final = 30


def upkeep(facts: ReportFacts) -> Chart | None:
    """Prunes and archive runs; None where there was neither."""
    if not facts.prunes and not facts.moves:
        return None
    deeds = [
        (one.at_ms, "pruned" if one.undone_ms is None else "pruned, undone since", one.records,
         one.rules)
        for one in facts.prunes
    ] + [(one.at_ms, "archived", one.records, one.rules) for one in facts.moves]  # fmt: skip
    deeds.sort(reverse=True)
    rows = [
        (
            when(at),
            what,
            count(records),
            ", ".join(f"{clean(rule)} {count(n)}" for rule, n in rules),
        )
        for at, what, records, rules in deeds
    ]
    pruned = [one.records for one in facts.prunes if one.undone_ms is None]
    moved = sum(one.records for one in facts.moves)
    unread = {one.part for one in facts.unread}
    took = f"{counted(len(pruned), 'prune')} took {counted(sum(pruned), 'record')}"
    holds = f"the archive holds {counted(moved, 'record')} of its last "
    holds += counted(len(facts.moves), "run")
    known = [text for part, text in (("prunes", took), ("archive", holds)) if part not in unread]
    said = f"{capital(', and '.join(known))}."
    if undone := len(facts.prunes) - len(pruned):
        said += f" Undone since, and not counted: {counted(undone, 'prune')}."
    now_ms = to_ms(facts.at)
    svg = draw("upkeep", HEIGHT_IN, lambda axes: _paint_deeds(axes, deeds, now_ms))
    table = tabled(("at", "what", "records", "by rule"), rows, (2,))
    return Chart(said, svg, table)


def _paint_deeds(
    axes: Axes, deeds: Sequence[tuple[int, str, int, tuple[tuple[str, int], ...]]], now_ms: int
) -> None:
    begin = now_ms - REPORT_HISTORY_MS
    width = REPORT_HISTORY_MS / _COLUMNS
    looks = {
        "pruned": ("fill5", "bad", "xxxx"),
        "archived": ("fill1", "accent", "////"),
        "pruned, undone since": ("card", "soft", ""),
    }
    tops = [0.0] * _COLUMNS
    for what, (fill, edge, hatch) in looks.items():
        sums = [0.0] * _COLUMNS
        for at_ms, said, records, _ in deeds:
            if said == what and at_ms >= begin:
                sums[min(_COLUMNS - 1, int((at_ms - begin) / width))] += records
        if not any(sums):
            continue
        axes.bar(
            [begin + (n + 0.5) * width for n in range(_COLUMNS)], sums, bottom=tops,
            width=width * 0.9, color=ink(fill), edgecolor=ink(edge), hatch=hatch, linewidth=0.7,
            label=what,
        )  # fmt: skip
        tops = [top + more for top, more in zip(tops, sums, strict=True)]
    count_axis(axes, max(tops))
    time_axis(axes, begin, now_ms)
    if any(tops):
        legend(axes)


def backups(facts: ReportFacts) -> Chart | None:
    """None where the store knows of no backup."""
    if not facts.backups:
        return None
    found = sorted(facts.backups)
    newest, now_ms = found[-1], to_ms(facts.at)
    said = (
        f"{counted(len(found), 'backup')}; the newest is {span(now_ms - newest.at_ms)} old and "
        f"takes {size(newest.bytes)}. "
        f"Verified since: {count(sum(one.verified_ms is not None for one in found))}."
    )
    for drill in facts.drills:
        good = f"passed {span(now_ms - drill.at_ms)} ago" if drill.passed else "FAILED"
        said += f" The last drill {good}."
    rows = [
        (one.at_ms, "backup", count(one.records), size(one.bytes),
         when(one.verified_ms) or "not yet", one.place)
        for one in found
    ] + [
        (one.at_ms, "drill", "", "", "passed" if one.passed else f"FAILED: {one.fact}", one.place)
        for one in facts.drills
    ]  # fmt: skip
    rows.sort(reverse=True)
    shown = [(when(at), *cells[:3], clean(cells[3]), clean(cells[4])) for at, *cells in rows]
    columns = ("at", "what", "records", "size", "verified", "in")
    table = tabled(columns, shown, (2, 3))
    drills = [(one.at_ms, one.passed) for one in facts.drills]
    svg = draw("backups", HEIGHT_IN, lambda axes: _paint_backups(axes, found, drills, now_ms))
    return Chart(said, svg, table)


def _paint_backups(
    axes: Axes, found: Sequence[Backup], drills: Sequence[tuple[int, bool]], now_ms: int
) -> None:
    axes.vlines(
        [one.at_ms for one in found], 0, [one.bytes for one in found], color=ink("line"),
        linewidth=1.2,
    )  # fmt: skip
    for verified, label, face in ((True, "verified", "accent"), (False, "taken", "card")):
        some = [one for one in found if (one.verified_ms is not None) is verified]
        if some:
            axes.plot(
                [one.at_ms for one in some], [one.bytes for one in some], linestyle="", marker="o",
                markersize=5, markerfacecolor=ink(face), markeredgecolor=ink("accent"), label=label,
            )  # fmt: skip
    most = max(one.bytes for one in found)
    for passed, label, mark, role in (
        (True, "drill passed", "D", "good"), (False, "drill FAILED", "X", "bad"),
    ):  # fmt: skip
        at = [ms for ms, good in drills if good is passed]
        if at:
            axes.plot(
                at, [most * 0.06] * len(at), linestyle="", marker=mark, markersize=6.5,
                color=ink(role), label=label,
            )  # fmt: skip
    size_axis(axes, most)
    first = min([one.at_ms for one in found] + [ms for ms, _ in drills])
    time_axis(axes, first, max(now_ms, found[-1].at_ms))
    legend(axes)


def scores(facts: ReportFacts) -> Chart | None:
    """The score of health over time; None where it was never kept twice."""
    points = thinned(facts.scores, REPORT_POINTS_MAX)
    if len(points) < 2:
        return None
    low = min(points, key=lambda one: one.value)
    said = (
        f"{points[-1].value:.0f} of 100 when it was last recorded, {when(points[-1].at_ms)}; the "
        f"lowest was {low.value:.0f}, {when(low.at_ms)}."
    )
    rows = [(when(one.at_ms), f"{one.value:.0f}") for one in reversed(points)]
    svg = draw("scores", 1.9, lambda axes: _paint_scores(axes, points))
    return Chart(said, svg, tabled(("at", "score"), rows, (1,)))


def _paint_scores(axes: Axes, points: Sequence[Point]) -> None:
    xs, ys = [one.at_ms for one in points], [one.value for one in points]
    axes.step(xs, ys, where="post", color=ink("accent"), linewidth=1.8)
    axes.plot(xs, ys, linestyle="", marker="o", markersize=2.6, color=ink("accent"))
    axes.set_yticks((0, 25, 50, 75, 100))
    axes.set_ylim(0, 104)
    axes.grid(axis="y", linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)
    time_axis(axes, xs[0], xs[-1])
