"""An export as JSON lines: everything that a store has of its records, in the order of their names.

The same state gives the same lines but for the time in the head. `migrate.jsonl` reads them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from memtend.codec.lines import HEAD, MARK, Line, Version, end_line, head_line, line_of
from memtend.crdt.hlc import millis
from memtend.errors import InvalidValue
from memtend.export.plan import EVERYTHING
from memtend.limits import EXPORT_LINE_BYTES_MAX

if TYPE_CHECKING:
    from memtend.export.plan import ExportPlan
    from memtend.export.reading import Exported
    from memtend.export.report import Tally
    from memtend.store.seen import Seen

_TOO_LONG: Final = f"longer than {EXPORT_LINE_BYTES_MAX:,} bytes with its concurrent values"
_NOT_JSON: Final = "its labels hold what JSON cannot say"


def begins(data: bytes) -> bool:
    """Whether this is how the first line of an export begins."""
    return data.startswith(f'{{"{MARK}":"{HEAD}",'.encode())


def lines(plan: ExportPlan, found: Iterable[Exported], seq: int, tally: Tally) -> Iterator[bytes]:
    wanted = {"namespace": plan.pattern, "agent": plan.agent, "kind": plan.kind}
    chosen = {name: text for name, text in wanted.items() if text and text != EVERYTHING}
    at_ms = round(plan.made_at.timestamp() * 1_000)
    yield head_line(plan.store_id, seq, at_ms, chosen)
    for one in found:
        try:
            data = line_of(as_line(one))
        except (TypeError, InvalidValue):
            tally.leave_out(one.path, _NOT_JSON)
            continue
        if len(data) > EXPORT_LINE_BYTES_MAX:
            tally.leave_out(one.path, _TOO_LONG)
            continue
        tally.took(one.top.kind)
        yield data
    yield end_line(tally.records)


def as_line(one: Exported) -> Line:
    top = Version(one.text, one.top, one.created_ms, millis(one.top.ts), one.expires_ms)
    older = tuple(map(_version, one.older))
    reads, read_ms = one.access or (0, 0)
    return Line(one.namespace, one.key, one.field, one.type, top, older, reads, read_ms)


def _version(seen: Seen) -> Version:
    return Version(seen.text, seen.body, seen.body.created_ms, millis(seen.body.ts), seen.exp)
