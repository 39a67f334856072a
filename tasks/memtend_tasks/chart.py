"""A chart in a page: an SVG that travels inside the markdown, so that nothing is fetched.

Prefect's UI shows an image with a `data:` address in both of its versions; inline SVG it takes
out. The picture paints its own background, because the page around it may be light or dark, and
tells its series apart by shape, so that it reads without colour. Its numbers stand in a table
beside it, on whoever calls this.

>>> from datetime import UTC, datetime
>>> point = Point(datetime(2026, 11, 3, 14, tzinfo=UTC), 2048, 2048, big=True)
>>> picture([point], "growth")[:38]
'![growth](data:image/svg+xml;base64,PH'
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from memtend_tasks.escaping import Markdown
from memtend_tasks.figures import size

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 52, 44
INK, FAINT, LINE, FILL = "#24292f", "#d0d7de", "#0550ae", "#b6d4fe"
_TICKS_MAX = 5
_BAR_MAX = 26.0


class Point(NamedTuple):
    """At an instant the total was `total` bytes, of which `added` were new. `big` is set off."""

    at: datetime
    total: float
    added: float
    big: bool = False


def picture(
    points: Sequence[Point], title: str, legend: tuple[str, str, str] = ("", "", "")
) -> Markdown:
    """Markdown that shows the points, oldest first, as a line for the total and bars for what came.

    `legend` names the line, the bars, and the points set off.
    """
    svg = draw(points, title, legend)
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return Markdown(f"![{title}]({source})")


def draw(points: Sequence[Point], title: str, legend: tuple[str, str, str]) -> str:
    """The SVG alone."""
    top = _ceiling(max((point.total for point in points), default=0))
    across = [_across(point.at, points) for point in points]
    heights = [_down(point.total, top) for point in points]
    bar = min(_BAR_MAX, (WIDTH - LEFT - RIGHT) / max(len(points), 1) * 0.6)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff" stroke="{FAINT}"/>',
        f'<text x="16" y="24" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_grid(top),
        *_dates(points),
    ]
    for point, x in zip(points, across, strict=True):
        y = _down(point.added, top)
        parts.append(
            f'<rect x="{x - bar / 2:.1f}" y="{y:.1f}" width="{bar:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{FILL}" stroke="{LINE}"/>'
        )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    for point, x, y in zip(points, across, heights, strict=True):
        parts.append(_mark(x, y, big=point.big))
    return "\n".join([*parts, *_legend(legend), "</svg>"])


def _across(at: datetime, points: Sequence[Point]) -> float:
    """Time runs to the right; a single instant stands in the middle."""
    first, last = points[0].at.timestamp(), points[-1].at.timestamp()
    share = (at.timestamp() - first) / (last - first) if last > first else 0.5
    return LEFT + _BAR_MAX / 2 + share * (WIDTH - LEFT - RIGHT - _BAR_MAX)


def _down(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of two's unit, so that the axis reads in round sizes."""
    unit = 1.0
    while unit * 1024 <= value:
        unit *= 1024
    for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024):
        if value <= step * unit:
            return step * unit
    return unit * 1024


def _grid(top: float) -> list[str]:
    parts = []
    for n in range(_TICKS_MAX):
        value = top * n / (_TICKS_MAX - 1)
        y = _down(value, top)
        parts += [
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{FAINT}"/>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{size(value)}</text>',
        ]
    return parts


def _dates(points: Sequence[Point]) -> list[str]:
    """The first instant, the last, and the one in the middle of the time between."""
    if not points:
        return []
    first, last = points[0].at, points[-1].at
    marks = [(first, "start"), (last, "end")] if last > first else [(first, "middle")]
    if last > first:
        marks.append((first + (last - first) / 2, "middle"))
    return [
        f'<text x="{_across(at, points):.1f}" y="{HEIGHT - 16}" text-anchor="{anchor}">'
        f"{at:%b %d %H:%M}</text>"
        for at, anchor in marks
    ]


def _mark(x: float, y: float, *, big: bool) -> str:
    if big:
        return (
            f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{LINE}" '
            f'transform="rotate(45 {x:.1f} {y:.1f})"/>'
        )
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#ffffff" stroke="{LINE}"/>'


def _legend(names: tuple[str, str, str]) -> list[str]:
    signs = (
        f'<line x1="0" x2="18" y1="-4" y2="-4" stroke="{LINE}" stroke-width="2"/>',
        f'<rect x="3" y="-10" width="12" height="11" fill="{FILL}" stroke="{LINE}"/>',
        _mark(9, -4, big=True),
    )
    parts, x = [], WIDTH - RIGHT
    for sign, name in reversed([pair for pair in zip(signs, names, strict=True) if pair[1]]):
        x -= 34 + 7 * len(name)
        parts.append(
            f'<g transform="translate({x} 24)">{sign}<text x="24">{escape(name)}</text></g>'
        )
    return parts
