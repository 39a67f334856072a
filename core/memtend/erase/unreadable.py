"""Rows that could not be read: an optimization keeps their bytes in files beside the saved plans.

A file holds rows of many records. It is written again without the lines that are erased, and then
goes: a crash in between leaves both, and repeating does the rest. Where the labels of a row cannot
be read, its name and the copies in its columns decide, however old it is; a line that says nothing
at all goes as well, since nobody could tell whose it was.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

import orjson

from memtend.codec.compress import Damaged
from memtend.codec.envelope import unpack
from memtend.errors import ObjectDamaged, ObjectMissing
from memtend.limits import OBJECT_BYTES_MAX
from memtend.objects import ObjectStore
from memtend.store.damaged import KEPT_UNDER
from memtend.store.ledger import Filter

_FILE: Final = re.compile(rf"{KEPT_UNDER}[0-9a-f]{{64}}\.jsonl", re.ASCII)


def forget_unreadable(place: ObjectStore, ledger: Filter) -> int:
    """Take erased rows out of the files; returns how many. Safe to repeat."""
    count = 0
    for name, data, gone in _files(place, ledger):
        lines = data.splitlines(keepends=True)
        left = b"".join(line for at, line in enumerate(lines) if at not in gone)
        if left:
            place.put_if_absent(f"{KEPT_UNDER}{sha256(left).hexdigest()}.jsonl", left)
        place.delete(name)
        count += len(gone)
    return count


def naming_unreadable(place: ObjectStore, ledger: Filter) -> int:
    """How many rows in the files are erased: none, once it is done."""
    return sum(len(gone) for _, _, gone in _files(place, ledger))


def _files(place: ObjectStore, ledger: Filter) -> Iterator[tuple[str, bytes, set[int]]]:
    """Those with erased rows in them, and which lines these are."""
    for name in [info.name for info in place.list(KEPT_UNDER)]:
        if not _FILE.fullmatch(name):
            continue
        try:
            data = place.get(name, OBJECT_BYTES_MAX)
        except (ObjectMissing, ObjectDamaged):
            continue  # nobody has written it so: no file of ours is longer than may be read
        lines = enumerate(data.splitlines())
        if gone := {at for at, line in lines if _is_erased(ledger, line)}:
            yield name, data, gone


def _is_erased(ledger: Filter, line: bytes) -> bool:
    try:
        said = orjson.loads(line)
        namespace, key = said["namespace"], said["key"]
        body = b64decode(said["body"]["base64"]) if isinstance(said["body"], dict) else b""
        labels = {kind: said[kind] for kind in ("agent", "writer")}
    except (ValueError, KeyError, TypeError):
        return True
    if not (isinstance(namespace, str) and isinstance(key, str)):
        namespace, key = str(namespace), str(key)
    try:
        unpack(body)
    except Damaged:
        return ledger.holds(namespace, key) or _is_labelled(ledger, labels)
    return ledger.erased_entry(namespace, key, body)


def _is_labelled(ledger: Filter, labels: dict[str, Any]) -> bool:
    return any(
        isinstance(name, str) and ledger.label(kind, name).at_hlc >= 0
        for kind, name in labels.items()
    )
