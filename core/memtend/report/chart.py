"""A chart with what it shows in a sentence and in a table, and the axes that charts share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.clock import to_datetime
from memtend.limits_upkeep import REPORT_ROWS_MAX
from memtend.report.palette import ink
from memtend.report.texts import count, short, short_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT_IN: Final = 2.5
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_DATES: Final = ((300 * _DAY_MS, "%Y %b"), (2 * _DAY_MS, "%b %d"), (6 * _MINUTE_MS, "%d %H:%M"))
"""How an instant is written on an axis that is longer than that, so that no two look alike."""
_TIMES: Final = 4
_STEPS: Final = (1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 800)


class Table(NamedTuple):
    """Texts, row by row. `right` are the columns of figures; `more` rows are left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    more: int = 0


class Chart(NamedTuple):
    """`said` is what one sees in it, in a sentence; `svg` is safe markup."""

    said: str
    svg: str
    table: Table


def tabled(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    limit: int = REPORT_ROWS_MAX,
) -> Table:
    """A table of the first rows, which says how many more there are."""
    shown = tuple(tuple(row) for row in rows[:limit])
    return Table(tuple(columns), shown, tuple(right), max(0, len(rows) - limit))


def legend(axes: Axes, columns: int = 4, left: float = -0.21) -> None:
    """Above the drawing, where nothing is in its way."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(left, 1.0), ncols=columns, frameon=False, fontsize=8.4,
        borderaxespad=0.2, handlelength=1.4, columnspacing=0.8, handletextpad=0.4,
    )  # fmt: skip


def time_axis(axes: Axes, first_ms: float, last_ms: float) -> None:
    """Time runs to the right; days, or months or seconds, by how much time it is."""
    if last_ms <= first_ms:
        first_ms, last_ms = first_ms - _DAY_MS / 2, first_ms + _DAY_MS / 2
    length = last_ms - first_ms
    shown = next((look for least, look in _DATES if length > least), "%H:%M:%S")
    at = [first_ms + (last_ms - first_ms) * n / (_TIMES - 1) for n in range(_TIMES)]
    axes.set_xticks(at, [f"{to_datetime(int(ms)):{shown}}" for ms in at])
    labels = axes.get_xticklabels()
    labels[0].set_horizontalalignment("left")
    labels[-1].set_horizontalalignment("right")
    margin = (last_ms - first_ms) * 0.02
    axes.set_xlim(first_ms - margin, last_ms + margin)


def size_axis(axes: Axes, most: float) -> None:
    _upwards(axes, most, 1024, short_size)


def count_axis(axes: Axes, most: float) -> None:
    _upwards(axes, most, 1000, short)


def _upwards(axes: Axes, most: float, base: int, show: Callable[[float], str]) -> None:
    """From nothing to a round figure above the most, in quarters that read well."""
    unit = 1.0
    while unit * base <= most:
        unit *= base
    top = next((step * unit for step in _STEPS if step * unit >= most), base * unit)
    top = max(top, 1.0)
    # Nothing is written beside a line that is not where it stands: half a record is none.
    parts = 4 if unit > 1 else next(n for n in (4, 2, 1) if top % n == 0)
    axes.set_yticks([top * n / parts for n in range(parts + 1)])
    axes.set_yticklabels([show(top * n / parts) for n in range(parts + 1)])
    axes.set_ylim(0, top * 1.02)
    axes.grid(axis="y", linewidth=0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)


def bars(
    axes: Axes, heights: Sequence[float], labels: Sequence[str], about: Sequence[bool]
) -> None:
    """Bars with their heights written above; hatched where they are estimates."""
    drawn = axes.bar(
        range(len(heights)), heights, width=0.72, color=ink("fill1"), edgecolor=ink("accent")
    )
    for bar, height, estimated in zip(drawn, heights, about, strict=True):
        if estimated:
            bar.set_hatch("////")
        if height:
            said = f"~{short(height)}" if estimated else short(height)
            x = bar.get_x() + bar.get_width() / 2
            axes.text(x, height, said, ha="center", va="bottom", fontsize=8.5)
    axes.set_xticks(range(len(labels)), labels, fontsize=8.2)


def capital(text: str) -> str:
    """As a sentence begins."""
    return text[:1].upper() + text[1:]


def counted(number: int, what: str) -> str:
    """`1 record`, `2 records`."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"
