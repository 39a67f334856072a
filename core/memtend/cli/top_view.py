"""What `memtend top` shows: figures as tables that fit on one screen. Pure.

Stored names are text and never markup, and control characters are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from memtend.cli.show import clean, size
from memtend.metrics.figure import value_of

if TYPE_CHECKING:
    from memtend.metrics.figure import Figure
    from memtend.model.latency import OpLatency

NAMES: Final = 6
OPERATIONS: Final = 10
WIDE: Final = 100
"""Columns from which on the tables stand side by side."""
WIDEST: Final = 140
_BARS: Final = "▁▂▃▄▅▆▇█"


class Shot(NamedTuple):
    """One look at the store. `rates` are changes a second of the last looks, oldest first."""

    url: str
    at: str
    figures: Sequence[Figure]
    latencies: Sequence[OpLatency]
    rates: Sequence[float]


def view(shot: Shot, width: int) -> RenderableType:
    left = (_named(shot, "agent"), _named(shot, "namespace"))
    right = (_operations(shot), _waiting(shot))
    if width < WIDE:
        return Group(_head(shot), *right, *left)
    grid = Table.grid(padding=(0, 2))
    grid.width = min(width, WIDEST)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(Group(*left), Group(*right))
    return Group(_head(shot), grid)


def _head(shot: Shot) -> Text:
    found = shot.figures
    score = value_of(found, "memtend_health_score")
    stands = {one.label("level"): one.value for one in found if one.name == "memtend_alerts"}
    told = ", ".join(f"{count:,.0f} {level}" for level, count in stands.items())
    rate = shot.rates[-1] if shot.rates else 0.0
    text = Text()
    text.append("memtend top", style="bold").append(f"  {clean(shot.url)}  {shot.at}\n")
    text.append(f"{_count(value_of(found, 'memtend_records'))} records, ")
    text.append(f"{_size(value_of(found, 'memtend_bytes'))} content, ")
    text.append(f"{_size(value_of(found, 'memtend_file_bytes'))} file\n")
    text.append("health ").append(_score(score)).append("   alerts ")
    text.append(told or "none", style="bold red" if told else "green")
    text.append(f"\n{rate:,.1f} changes a second  ").append(sparkline(shot.rates), style="cyan")
    return text


def sparkline(values: Sequence[float]) -> str:
    """
    >>> sparkline([0, 1, 2, 4, 8])
    '▁▂▃▅█'
    """
    most = max(values, default=0.0)
    if not most:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((len(_BARS) - 1) * max(0.0, one) / most)] for one in values)


def _named(shot: Shot, label: str) -> Table:
    held = [one for one in shot.figures if one.name == f"memtend_{label}_bytes"]
    records = {
        one.label(label): one.value
        for one in shot.figures
        if one.name == f"memtend_{label}_records"
    }
    rows = sorted(held, key=lambda one: -one.value)
    table = _table(label, "records", "size")
    for one in rows[:NAMES]:
        name = one.label(label) or ""
        cut = Text(clean(name), no_wrap=True, overflow="ellipsis")
        table.add_row(cut, _count(records.get(name)), _size(one.value))
    if len(rows) > NAMES:
        table.add_row(Text(f"and {len(rows) - NAMES:,} more", style="dim"), "", "")
    return table


def _operations(shot: Shot) -> Table:
    table = _table("operation", "met", "24 h", "p50", "p95", "p99")
    table.columns[1].justify = "left"
    for one in sorted(shot.latencies, key=lambda one: -one.operations)[:OPERATIONS]:
        times = (_time(ms) for ms in (one.p50_ms, one.p95_ms, one.p99_ms))
        table.add_row(Text(clean(one.op)), Text(one.tier), _count(one.operations), *times)
    if not shot.latencies:
        table.add_row(Text("nothing was timed in the last 24 hours", style="dim"))
    return table


def _waiting(shot: Shot) -> Table:
    table = _table("waits", "")
    for name, value in _waits(shot.figures):
        table.add_row(Text(name), value)
    return table


def _waits(found: Sequence[Figure]) -> Iterable[tuple[str, str]]:
    for name, series in (
        ("expired rows", "memtend_expired_waiting"),
        ("end within a day", "memtend_expiring_day"),
        ("contested keys", "memtend_conflict_keys"),
        ("messages", "memtend_messages_waiting"),
        ("dead letters", "memtend_messages_dead"),
        ("leases held", "memtend_leases_held"),
        ("waiting for leases", "memtend_leases_waiting"),
    ):
        yield name, _count(value_of(found, series))
    yield "newest backup", _age(value_of(found, "memtend_backup_age_s"))
    yield "last good drill", _age(value_of(found, "memtend_drill_age_s"))


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1))
    for number, head in enumerate(heads):
        # Where room is short it is taken from the names: a figure that is cut says nothing.
        table.add_column(head, justify="right" if number else "left", no_wrap=number > 0)
    return table


def _count(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _size(value: float | None) -> str:
    return "?" if value is None else size(round(value))


def _time(ms: float) -> str:
    return f"{ms * 1_000:,.0f} µs" if ms < 1 else f"{ms:,.1f} ms"


def _age(seconds: float | None) -> str:
    """
    >>> _age(None), _age(59), _age(7_300)
    ('none', '59 s ago', '2 h ago')
    """
    if seconds is None:
        return "none"
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length:,.0f} {unit} ago"
    return f"{seconds:,.0f} s ago"


def _score(score: float | None) -> Text:
    if score is None:
        return Text("not judged yet", style="dim")
    style = "green" if score >= 90 else "yellow" if score >= 60 else "bold red"
    return Text(f"{score:.0f}/100", style=style)
