"""Importer for archives of pickled items: `memory_archive/` and `episodic_memory.db`.

Pickles are read only where the user says so (`Options.allow_pickle`), by a machine that executes
nothing (`pickled_machine`); without it every one of them is set aside with that reason. The files
are walked, newest month first, so that of an item archived twice the newer one is taken: the index
may know only the first item of all. It is a hint, and where it is wrong, that is told.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from memtend.limits_foreign import IMPORT_DEPTH_MAX, PICKLE_BYTES_MAX
from memtend.migrate.files import SourceFile, as_text, parse_json, read_bytes, relative
from memtend.migrate.items import Found, ImportItem, PassedOver, printable, quarantined
from memtend.migrate.pickled_items import KIND, REFUSED, fields_of, record_of
from memtend.migrate.pickled_machine import unpickled
from memtend.migrate.pickled_rows import read_rows
from memtend.migrate.pickled_values import Writer
from memtend.migrate.reader import Options
from memtend.model.timestamps import NotATime
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import label, part

__all__ = ["KIND", "looks_like", "read"]

FOLDER: Final = "memory_archive"
INDEX: Final = "archive_index.json"
DATABASE: Final = "episodic_memory.db"
SUFFIX: Final = ".archive.gz"
PLACE: Final = "archive"
_DERIVED: Final = frozenset(
    ("file_path", "original_size", "compressed_size", "compression_ratio", "item_metadata")
)
_NAMED_MAX: Final = 5


def looks_like(root: Path) -> bool:
    if root.is_file():
        return root.name == DATABASE or root.name.endswith(SUFFIX)
    return (root / DATABASE).is_file() or _archive_in(root) is not None


def read(root: Path, options: Options) -> Iterator[Found]:
    """The archive's files, then the rows of the database, whichever are there."""
    if root.is_file():
        if root.name.endswith(SUFFIX):
            yield _Index({}).read_file(SourceFile(root, root.name), options)
        else:
            yield from read_rows(root, root.name, options)
        return
    folder = _archive_in(root)
    if folder is not None:
        yield from _read_archive(folder, root, options)
    if (root / DATABASE).exists():
        yield from read_rows(root / DATABASE, DATABASE, options)


def _archive_in(root: Path) -> Path | None:
    """The folder with the years, known by its index or by a file of a month."""
    for folder in (root / FOLDER, root):
        archived = folder.glob(f"[0-9][0-9][0-9][0-9]/[0-9][0-9]/*{SUFFIX}")
        if (folder / INDEX).is_file() or next(archived, None) is not None:
            return folder
    return None


def _read_archive(folder: Path, root: Path, options: Options) -> Iterator[Found]:
    place = SourceFile(folder / INDEX, relative(folder / INDEX, root))
    index = _Index({})
    if place.path.exists():
        data = b""
        try:
            data = _bytes(place)
            index = _Index(parse_json(data))
        except Unreadable as error:
            yield quarantined(place.relative, f"it is an index, and {error}", data)
    for file in _newest_first(folder, root, IMPORT_DEPTH_MAX):
        if file.path not in (place.path, root / DATABASE):
            yield index.read_file(file, options)
    yield from index.rest(place.relative)


def _newest_first(folder: Path, root: Path, levels: int) -> Iterator[SourceFile]:
    """Years and months backwards. A folder that cannot be listed is named: reading it says why."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name, reverse=True)
    except OSError:
        yield SourceFile(folder, relative(folder, root))
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and levels:
            yield from _newest_first(Path(entry.path), root, levels - 1)
        else:
            yield SourceFile(Path(entry.path), relative(Path(entry.path), root))


class _Index:
    """What the index says of each item, and where that is not what was found."""

    def __init__(self, content: Any) -> None:
        if not isinstance(content, dict):
            raise Unreadable("it is no object")
        self._entries: dict[str, Any] = content
        self._known = len(content)
        self._found = 0
        self._wrong: list[str] = []

    def read_file(self, file: SourceFile, options: Options) -> Found:
        """One file as one item, or the reason why not."""
        item_id: str | None = file.path.name.removesuffix(SUFFIX)
        entry = self._entries.pop(str(item_id), None)
        packed = b""
        try:
            packed = _bytes(file)
            if not file.path.name.endswith(SUFFIX):
                item_id = None
                raise Unreadable("it is not a file of this archive")
            self._found += 1
            if not options.allow_pickle:
                raise Unreadable(REFUSED)
            data = _inflated(packed)
            item = _record(data, file, entry, options.zone)
        except (Unreadable, NotATime) as error:
            return quarantined(file.relative, str(error), packed, item_id)
        if entry is not None:
            self._compare(item, entry, len(data), len(packed))
        return item

    def _compare(self, item: ImportItem, entry: Any, size: int, packed: int) -> None:
        stated = part(entry, "item_metadata", "importance")
        told = (part(entry, "original_size"), part(entry, "compressed_size"), stated)
        found = (size, packed, item.labels.importance)
        if any(one is not None and one != other for one, other in zip(told, found, strict=True)):
            self._wrong.append(item.source.id)

    def rest(self, path: str) -> Iterator[Found]:
        """Items that the index knows and nobody has, and what is to be said of the index."""
        for item_id, entry in self._entries.items():
            why = "the index names it, and no file holds it"
            yield quarantined(path, why, as_text(entry, b""), item_id)
        if self._known:
            reason = f"an index, and only a hint: it knows {self._known} of {self._found} items"
            if self._wrong:
                named = ", ".join(self._wrong[:_NAMED_MAX])
                reason += f"; it is wrong about {len(self._wrong)}: {named}"
            yield PassedOver(path=path, reason=printable(reason))


def _bytes(file: SourceFile) -> bytes:
    """What the file holds; one that is too long for an item, or for a hint, is not even read."""
    try:
        size = file.path.lstat().st_size
    except OSError:
        size = 0  # reading it says why
    if size > PICKLE_BYTES_MAX:
        raise Unreadable(f"it is longer than {PICKLE_BYTES_MAX:,} bytes")
    return read_bytes(file)


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        data = inflate.decompress(packed, PICKLE_BYTES_MAX + 1)
    except zlib.error:
        raise Unreadable("its gzip form is damaged") from None
    if len(data) > PICKLE_BYTES_MAX:
        raise Unreadable(f"it unpacks to more than {PICKLE_BYTES_MAX:,} bytes")
    if not inflate.eof or inflate.unused_data:
        raise Unreadable("its gzip form is cut off or has bytes after its end")
    return data


def _record(data: bytes, file: SourceFile, entry: Any, zone: tzinfo) -> ImportItem:
    writer = Writer()
    fields = fields_of(unpickled(data, writer))
    known = entry if isinstance(entry, dict) else {}
    archived = {name: known[name] for name in known if name not in _DERIVED}
    metadata = writer.json(fields.get("metadata"))
    return record_of(
        fields,
        PLACE,
        file.relative,
        zone,
        writer,
        agent=label(part(metadata, "agent_id")),
        metadata=metadata,
        more={"archived": archived} if archived else {},
    )
