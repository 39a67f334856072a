"""An export as an AML tree: `memory/<agent>/patterns.json` and what else the older program had.

Items are in the version asked for; unknown fields are given back. What an AML tree has no place
for is left out and counted by reason: counters, sets and maps, records of other programs, values
in quarantine, and all but the newest of concurrent values.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson
import ormsgpack

from memtend.codec.envelope import QUARANTINED
from memtend.crdt.rows import RowKind
from memtend.export.aml_files import Slot, slot_of
from memtend.export.aml_items import item_in
from memtend.model.quoting import quote_name
from memtend.model.unreadable import Unreadable

if TYPE_CHECKING:
    from memtend.export.plan import ExportPlan
    from memtend.export.reading import Exported
    from memtend.export.report import Tally
    from memtend.export.tree import Files

_ELSEWHERE: Final = "no AML item: its place has none in an AML tree"
_NATIVE: Final = "of another shape: agents of this program wrote it; export it as jsonl"
_NOT_PLAIN: Final = "a counter, a set or a map, which AML does not know"
_QUARANTINE: Final = "in quarantine"
_NO_ID: Final = "no AML item: it has no id that is its key"
_UNKNOWN: Final = "of a schema version that is not known"
_BESIDE: Final = "a concurrent value that lost against a newer one"


def write(plan: ExportPlan, found: Iterable[Exported], files: Files, tally: Tally) -> None:
    version = plan.format.aml
    assert version is not None
    with _Lists(files) as lists:
        for one in found:
            slot = _slot(one, tally)
            if slot is None:
                continue
            value = orjson.loads(one.text)
            try:
                if slot.kind is None:
                    with files.file(f"memory/{slot.file}") as file:
                        file.write(one.text)
                    tally.took(one.top.kind)
                else:
                    _put(one, slot, value, version, lists, tally)
            except Unreadable:
                tally.leave_out(one.path, _UNKNOWN)
    about = {"version": version, "updated_at": plan.made_at.isoformat(), "migration_history": []}
    with files.file("memory/config/schema_version.json") as file:
        file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2))


def _put(one: Exported, slot: Slot, value: Any, version: str, lists: _Lists, tally: Tally) -> None:
    assert slot.kind is not None
    if not isinstance(value, dict) or not _has_its_id(one.key, value):
        tally.leave_out(one.path, _NO_ID)
        return
    extra = ormsgpack.unpackb(one.top.extra) if one.top.extra else {}
    item = item_in(slot.kind, value, extra, version)
    lists.add(slot.file, orjson.dumps(item.value, option=orjson.OPT_SORT_KEYS))
    tally.took(slot.kind, version)
    tally.losses.update(item.losses)
    if one.older:
        tally.leave_out(one.path, _BESIDE)


def _slot(one: Exported, tally: Tally) -> Slot | None:
    """Where a record goes, unless it stays out."""
    slot = None
    if one.type is not RowKind.PLAIN:
        tally.leave_out(one.path, _NOT_PLAIN)
    elif one.top.trust == QUARANTINED:
        tally.leave_out(one.path, _QUARANTINE)
    else:
        slot = slot_of(one.namespace, one.key)
        if slot is None:
            ours = one.namespace.startswith(("swarm-", "neural/"))
            tally.leave_out(one.path, _NATIVE if ours else _ELSEWHERE)
    return slot


def _has_its_id(key: str, value: dict[str, Any]) -> bool:
    """The reader makes the key from the id, so an item under another key would come back there."""
    number = value.get("id")
    return isinstance(number, str) and quote_name(number) == key


class _Lists:
    """Files that hold a list, one item a line; one is open at a time."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._stack = ExitStack()
        self._name = ""
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Lists:
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._end()
        else:
            self._stack.__exit__(*error)

    def add(self, name: str, text: bytes) -> None:
        if name != self._name or self._file is None:
            self._end()
            self._name = name
            self._file = self._stack.enter_context(self._files.file(f"memory/{name}"))
            self._file.write(b"[\n")
        else:
            self._file.write(b",\n")
        self._file.write(text)

    def _end(self) -> None:
        if self._file is not None:
            self._file.write(b"\n]\n")
            self._file = None
        self._stack.close()
