"""Proof that nothing is left: tables row by row, files byte by byte.

In the files two kinds of traces are looked for. The 16-byte hash of an erased row occurs by chance
nowhere else, so one hit is a row that is still there. A name or a part of a value proves something
only if nothing that remains contains it; those that something contains are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from memtend.erase.report import Evidence
from memtend.erase.saved import naming_plans
from memtend.erase.unreadable import naming_unreadable
from memtend.errors import StoreUnavailable
from memtend.limits import ERASE_SCAN_BYTES_MAX, ERASE_TEXT_BYTES_MAX, MIB
from memtend.store.residue import Residue
from memtend.store.rewriting import files_of

if TYPE_CHECKING:
    from memtend.model.subject import Subject
    from memtend.objects import ObjectStore
    from memtend.store.erasing import Eraser
    from memtend.store.ledger import Filter
    from memtend.store.store import Store

_CHUNK: Final = 8 * MIB


class Searched(Protocol):
    """An archive that can be asked what it still holds."""

    def residue(self, erased: Callable[[str, str, bytes], bool]) -> int: ...


class Traces(NamedTuple):
    """What the files hold. `hashes` is how many were looked for: all, or an even choice of them."""

    hashes: int
    texts: int
    files: int
    bytes: int
    hits: int
    places: tuple[str, ...]


def scan(
    store: Store,
    subject: Subject,
    eraser: Eraser,
    texts: Sequence[bytes],
    ledger: Filter,
    *,
    plans: ObjectStore | None,
    archive: Searched | None,
) -> tuple[Evidence, tuple[str, ...]]:
    """The evidence, and in which files there are traces."""
    found = Residue(store, subject, eraser, texts)
    traces = scan_files(store, eraser.hashes, found.texts)
    return Evidence(
        tables={table: count for table, count in found.tables.items() if count},
        settings=found.settings,
        unfinished=found.unfinished,
        others=found.others,
        hashes=traces.hashes,
        hashes_of=eraser.dropped,
        texts=traces.texts,
        files=traces.files,
        bytes=traces.bytes,
        hits=traces.hits,
        archive_entries=archive.residue(ledger.erased_entry) if archive else 0,
        plans=len(list(naming_plans(plans, ledger.holds, texts))) if plans else 0,
        unreadable=naming_unreadable(plans, ledger) if plans else 0,
    ), traces.places


def scan_files(store: Store, hashes: Sequence[bytes], texts: Sequence[bytes]) -> Traces:
    """Look into every file of the database. A server's files are its own: none are looked at."""
    files = files_of(store)
    if not files:
        return Traces(0, 0, 0, 0, 0, ())
    sizes = {path: _size(path) for path in files}
    total = sum(sizes.values())
    chosen = _chosen(hashes, max(16, ERASE_SCAN_BYTES_MAX // max(1, total)))
    needles = [*chosen, *texts]
    hits, places = 0, []
    for path in files:
        found = _hits(path, needles)
        if found:
            hits += found
            places.append(path.removeprefix(str(store.engine.path)) or "the database file")
    return Traces(len(chosen), len(texts), len(files), total, hits, tuple(places))


def _chosen(hashes: Sequence[bytes], limit: int) -> Sequence[bytes]:
    return hashes if len(hashes) <= limit else hashes[:: -(-len(hashes) // limit)]


def _hits(path: str, needles: Sequence[bytes]) -> int:
    left = set(needles)
    for chunk in _chunks(path):
        left -= {needle for needle in left if needle in chunk}
    return len(set(needles)) - len(left)


def _chunks(path: str) -> Iterator[bytes]:
    """The file in pieces that overlap, so that nothing is cut in two."""
    tail = b""
    try:
        with open(path, "rb") as file:
            while data := file.read(_CHUNK):
                yield tail + data
                tail = (tail + data)[-ERASE_TEXT_BYTES_MAX:]
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreUnavailable(url=path, why=str(error.strerror)) from error


def _size(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return file.seek(0, 2)
    except FileNotFoundError:
        return 0
