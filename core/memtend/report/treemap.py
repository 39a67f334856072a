"""Who holds how much of what: agents as areas, in them the kinds of their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.report.chart import Chart, tabled
from memtend.report.drawing import FONT_PT, WIDTH_IN, draw
from memtend.report.facts import KindShare
from memtend.report.palette import FILLS, ink
from memtend.report.texts import clean, count, share, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.report.facts import ReportFacts

_HEIGHT_IN: Final = 2.9
_WIDE, _HIGH = WIDTH_IN * 72, _HEIGHT_IN * 72
_AGENTS_MAX: Final = 11
_KINDS_MAX: Final = 7
_CHAR, _BOLD_CHAR = 0.6, 0.68
"""How wide a letter is, for each point of its height."""
_LINE: Final = 1.35
_OTHERS: Final = "others"
NOBODY: Final = "(no agent)"


class Area(NamedTuple):
    """A name with its bytes and, for an agent, what they are made of."""

    name: str
    bytes: int
    parts: tuple[tuple[str, int], ...] = ()


class Box(NamedTuple):
    """In points from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


def treemap(facts: ReportFacts) -> Chart | None:
    """None where nothing is stored."""
    found = areas(facts.kinds.shares)
    if not found:
        return None
    total = sum(area.bytes for area in found)
    whole = facts.kinds.looked_at >= facts.kinds.of
    largest = found[0]
    said = f"{clean(largest.name)} holds {share(largest.bytes, total)} of all content"
    if largest.parts:
        kind, held = largest.parts[0]
        said += f", {share(held, largest.bytes)} of that as {clean(kind)}"
    said += "."
    if not whole:
        said += f" Told from a sample of {count(facts.kinds.looked_at)} records."
    rows = [
        (clean(one.agent or NOBODY), clean(one.kind), count(one.records), size(one.bytes))
        for one in sorted(facts.kinds.shares, key=lambda one: -one.bytes)
    ]
    about = "" if whole else "about "
    columns = ("agent", "kind", f"{about}records", f"{about}size")
    svg = draw("treemap", _HEIGHT_IN, lambda axes: _paint(axes, found), bare=True)
    return Chart(said, svg, tabled(columns, rows, (2, 3)))


def areas(shares: Sequence[KindShare]) -> list[Area]:
    """The largest agents with their largest kinds, what is left of both as `others`."""
    agents: dict[str, dict[str, int]] = {}
    for one in shares:
        kinds = agents.setdefault(one.agent or NOBODY, {})
        kinds[one.kind] = kinds.get(one.kind, 0) + one.bytes
    found = [Area(agent, sum(kinds.values()), _largest(kinds)) for agent, kinds in agents.items()]
    found = sorted((area for area in found if area.bytes > 0), key=lambda area: -area.bytes)
    rest = sum(area.bytes for area in found[_AGENTS_MAX:])
    return [*found[:_AGENTS_MAX], *([Area(_OTHERS, rest)] if rest else [])]


def _largest(kinds: dict[str, int]) -> tuple[tuple[str, int], ...]:
    ordered = sorted((item for item in kinds.items() if item[1] > 0), key=lambda item: -item[1])
    rest = sum(held for _, held in ordered[_KINDS_MAX:])
    return (*ordered[:_KINDS_MAX], *([(_OTHERS, rest)] if rest else []))


def boxes(sizes: Sequence[int], within: Box) -> Iterator[Box]:
    """Rectangles with these areas, as square as they can be, in the same order."""
    import squarify  # noqa: PLC0415 — an optional extra

    if within.width <= 0 or within.height <= 0:
        yield from (Box(within.x, within.y, 0, 0) for _ in sizes)
        return
    scaled = squarify.normalize_sizes(sizes, within.width, within.height)
    for one in squarify.squarify(scaled, within.x, within.y, within.width, within.height):
        yield Box(one["x"], one["y"], one["dx"], one["dy"])


def _paint(axes: Axes, found: Sequence[Area]) -> None:
    axes.set_xlim(0, _WIDE)
    axes.set_ylim(_HIGH, 0)
    axes.axis("off")
    around = boxes([area.bytes for area in found], Box(0, 0, _WIDE, _HIGH))
    for n, (area, box) in enumerate(zip(found, around, strict=True)):
        _rectangle(axes, box, FILLS[n % len(FILLS)], 2.0)
        named = _label(axes, box, area.name, size(area.bytes), bold=True)
        head = FONT_PT * _LINE + 3 if named else 0
        inner = Box(box.x + 3, box.y + head + 3, box.width - 6, box.height - head - 6)
        if len(area.parts) < 2 and not named:
            continue
        for (kind, _), part in zip(
            area.parts, boxes([held for _, held in area.parts], inner), strict=True
        ):
            _rectangle(axes, part, None, 0.7)
            _label(axes, part, kind)


def _rectangle(axes: Axes, box: Box, fill: str | None, line: float) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    edge = ink("card") if fill else ink("soft")
    face = ink(fill) if fill else "none"
    if box.width > 1 and box.height > 1:
        axes.add_patch(
            Rectangle(
                (box.x, box.y), box.width, box.height, facecolor=face, edgecolor=edge,
                linewidth=line,
            )
        )  # fmt: skip


def _label(axes: Axes, box: Box, name: str, more: str = "", *, bold: bool = False) -> bool:
    """Write into the upper left corner as much of a name as there is room for; whether any."""
    points = FONT_PT - 0.5 if bold else FONT_PT - 1.2
    room = int((box.width - 7) / (points * (_BOLD_CHAR if bold else _CHAR)))
    if room < 4 or box.height < points * _LINE + 2:
        return False
    both = f"{name} {more}"
    text = both if more and len(both) <= room else name
    axes.text(
        box.x + 4, box.y + 3, clean(text, room), ha="left", va="top", fontsize=points,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip
    return True
