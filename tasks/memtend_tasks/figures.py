"""Figures for people: a model's numbers as rows of a table, with the unit its name carries.

    >>> from memtend.model.plan import Report
    >>> figures(Report(operation="sweep", applied=True, deleted=1200, bytes_freed=3 * 2**20))
    [('operation', 'sweep'), ('applied', 'yes'), ('deleted', '1,200'), ('bytes freed', '3.0 MiB')]

Zeros, empty values and nested values are left out: a page shows what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from memtend.limits import KIB
from memtend_tasks.escaping import Markdown, escaped

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_CELL_CHARS_MAX = 200


def figures(model: BaseModel) -> list[tuple[str, str]]:
    """Name and value of each plain field that says something."""
    rows = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        text = to_text(name, value)
        if text and (value or isinstance(value, bool)):
            rows.append((name.replace("_", " "), text))
    return rows


def to_text(name: str, value: object) -> str:
    """`value` as a person reads it; the empty text for what has no plain form."""
    words = set(name.split("_"))
    match value:
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M:%S %Z}"
        case int() if "bytes" in words:
            text = size(value)
        case float() if "share" in words:
            text = f"{value:.1%}"
        case float():
            text = f"{value:,.2f}"
        case int():
            text = f"{value:,}"
        case _:
            text = value if isinstance(value, str) else ""
    return text


def size(count: float) -> str:
    """Bytes in the largest unit that leaves at least 1."""
    for unit in _UNITS:
        if abs(count) < KIB or unit == _UNITS[-1]:
            return f"{count:,.0f} B" if unit == "B" else f"{count:,.1f} {unit}"
        count /= KIB
    return ""


def to_span(seconds: float) -> str:
    """A time span in its two largest units.

    >>> to_span(0.25), to_span(75), to_span(7_260), to_span(180_000)
    ('0.2 s', '1 min 15 s', '2 h 1 min', '2 d 2 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Markdown:
    """A markdown table. Cells are escaped: a key may hold anything a name may."""
    lines = [head, ("---",) * len(head), *rows]
    return Markdown("\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines))


def _cell(text: str) -> str:
    return text if isinstance(text, Markdown) else escaped(text[:_CELL_CHARS_MAX])
