"""An export as an AML tree: `memory/<agent>/patterns.json` and what else the older program had.

Items are in the version asked for; unknown fields are given back. What an AML tree has no place
for is left out and counted by reason: counters, sets and maps, records of other programs, values
in quarantine, and all but the newest of concurrent values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson
import ormsgpack

from memtend.codec.envelope import QUARANTINED
from memtend.crdt.rows import RowKind
from memtend.export.aml_files import ALERT, Slot, slot_of
from memtend.export.aml_items import item_in
from memtend.export.aml_lists import Lists
from memtend.export.folders import Folders
from memtend.model.foldernames import SHARED
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
_TAKEN: Final = "another record has the file where it would be"
_BESIDE: Final = "a concurrent value that lost against a newer one"


def write(plan: ExportPlan, found: Iterable[Exported], files: Files, tally: Tally) -> None:
    version = plan.format.aml
    assert version is not None
    folders = Folders(SHARED)
    with Lists(files) as lists:
        for one in found:
            slot = _slot(one, plan, files, folders, tally)
            if slot is None:
                continue
            if slot.kind is None:
                with files.file(slot.file) as file:
                    file.write(one.text)
                tally.took(one.top.kind)
            elif text := _item(one, slot.kind, version, tally):
                lists.add(slot, text)
            else:
                continue
            if one.older:
                tally.leave_out(one.path, _BESIDE)
    about = {"version": version, "updated_at": plan.made_at.isoformat(), "migration_history": []}
    with files.file("memory/config/schema_version.json") as file:
        file.write(orjson.dumps(about, option=orjson.OPT_INDENT_2))


def _item(one: Exported, kind: str, version: str, tally: Tally) -> bytes | None:
    """The canonical JSON of an item in the version asked for; None where it stays out."""
    value = orjson.loads(one.text)
    if not isinstance(value, dict) or not _has_its_id(one.key, kind, value):
        tally.leave_out(one.path, _NO_ID)
        return None
    if kind == ALERT:
        tally.took(one.top.kind)
        return one.text
    extra = ormsgpack.unpackb(one.top.extra) if one.top.extra else {}
    try:
        item = item_in(kind, value, extra, version)
    except Unreadable:
        tally.leave_out(one.path, _UNKNOWN)
        return None
    tally.took(kind, item.version)
    tally.losses.update(item.losses)
    return orjson.dumps(item.value, option=orjson.OPT_SORT_KEYS)


def _slot(
    one: Exported, plan: ExportPlan, files: Files, folders: Folders, tally: Tally
) -> Slot | None:
    """Where a record goes, unless it stays out."""
    if one.type is not RowKind.PLAIN:
        tally.leave_out(one.path, _NOT_PLAIN)
        return None
    if one.top.trust == QUARANTINED:
        tally.leave_out(one.path, _QUARANTINE)
        return None
    slot = slot_of(one.namespace, one.key, plan.made_at, folders)
    if slot is None:
        ours = one.namespace.startswith(("swarm-", "neural/"))
        tally.leave_out(one.path, _NATIVE if ours else _ELSEWHERE)
    elif slot.file in files.sizes:
        tally.leave_out(one.path, _TAKEN)
        slot = None
    return slot


def _has_its_id(key: str, kind: str, value: dict[str, Any]) -> bool:
    """The reader makes the key from the id, so an item under another key would come back there.

    Alerts of one second share an id; the reader numbers them.
    """
    number = value.get("id")
    if not isinstance(number, str):
        return False
    name = quote_name(number)
    return key == name or (kind == ALERT and key.startswith(f"{name}:"))
