"""Figures and names as the page shows them.

    >>> size(1536), count(1234567), span(93_600_000)
    ('1.5 KiB', '1,234,567', '1 d 2 h')
    >>> clean("a\\u202eb", 10), clean("abcdef", 4)
    ('a\\\\u202eb', 'abc…')

Names come from whoever writes memory. What does not print, or turns the direction of the text
around, is shown by its number; the length is bounded. Escaping is the template's matter.
"""

from __future__ import annotations

from typing import Final

from memtend.clock import to_datetime
from memtend.limits import GIB, KIB, MIB
from memtend.limits_upkeep import REPORT_NAME_CHARS_MAX

_SPANS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_PARTS: Final = 2


def clean(text: str, limit: int = REPORT_NAME_CHARS_MAX) -> str:
    """One line that can be printed, cut where it is too long."""
    # Shortened first, too: nobody makes the page slow with a name of a megabyte.
    return _cut("".join(c if c.isprintable() else _numbered(c) for c in _cut(text, limit)), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _numbered(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def size(of_bytes: float) -> str:
    """Bytes as people read them."""
    sign = "-" if of_bytes < 0 else ""
    amount = abs(of_bytes)
    for unit, name in ((1024 * GIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if amount >= unit:
            return f"{sign}{amount / unit:.1f} {name}"
    return f"{sign}{amount:,.0f} B"


def short_size(of_bytes: float) -> str:
    """The same for an axis, without a fraction that is none."""
    return size(of_bytes).replace(".0 ", " ")


def count(number: float) -> str:
    return f"{number:,.0f}"


def short(number: float) -> str:
    """A count for an axis or the top of a bar."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= 10 * unit or (number >= unit and number % unit == 0):
            return f"{number / unit:.0f}{name}"
        if number >= unit:
            return f"{number / unit:.1f}{name}"
    return f"{number:.0f}"


def share(part: float, whole: float) -> str:
    """A part of a whole; nothing of nothing is a dash, and a little is not none."""
    if not whole:
        return "-"
    found = part / whole
    return f"{found:.0%}" if found >= 0.01 or not part else "<1%"


def span(ms: float) -> str:
    """A length of time, in its two largest units."""
    left, parts = max(0, int(ms)), list[str]()
    for unit, name in _SPANS:
        number, left = divmod(left, unit)
        if number or parts:
            parts.append(f"{number:,} {name}" if number else "")
        if len(parts) == _PARTS:
            break
    return " ".join(part for part in parts if part) or "under a second"


def when(ms: int | None) -> str:
    """An instant, to the minute."""
    return "" if ms is None else f"{to_datetime(ms):%Y-%m-%d %H:%M} UTC"


def day(ms: float) -> str:
    return f"{to_datetime(int(ms)):%Y-%m-%d}"
