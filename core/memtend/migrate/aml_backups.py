"""Importer for the backups and archives of AML trees.

The state that comes in is that of the newest backup: of itself and of what it builds on, each file
as its checksum says. A file that fails it, or cannot be read, is quarantined, and the newest older
backup in which it verifies has it instead. Nothing else of older backups comes in: what they alone
hold was deleted or left out since, and is named.

Archived decisions were in no backup and come in as records of their own, tagged `archived`. Items
never have the identity of those of a tree, so no older state overwrites a newer one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import tzinfo
from itertools import groupby
from pathlib import Path
from typing import Final

from memtend.errors import LimitExceeded, SourceUnknown
from memtend.limits_foreign import IMPORT_FILES_MAX
from memtend.migrate import legacy_aml
from memtend.migrate.aml_catalog import LIST, META, TAR, Backup, catalog, newest_first
from memtend.migrate.aml_contents import Contents
from memtend.migrate.aml_items import AmlFile
from memtend.migrate.aml_places import archive_of
from memtend.migrate.aml_states import State
from memtend.migrate.files import SourceFile, read_bytes, relative, set_aside, unzipped, walk
from memtend.migrate.items import Found, ImportItem, PassedOver
from memtend.migrate.jsontext import parse
from memtend.migrate.reader import Options
from memtend.model.unreadable import Unreadable

KIND: Final = "aml-backup"
ARCHIVES: Final = "archives"

_UNLISTED: Final = (
    "no list of backups names it, so nothing says whether it is whole; "
    "imported by itself, as aml, it comes in unchecked"
)


def looks_like(root: Path) -> bool:
    """Also for a project whose memory is gone and whose backups are not."""
    found = _backups_in(root)
    if found is None:
        return False
    own = Path(os.path.abspath(root))
    if found[0] == own.parent / legacy_aml.BACKUPS != own:
        return False
    return found[0] in (own, own.parent) or not legacy_aml.looks_like(root)


def read(root: Path, options: Options) -> Iterator[Found]:
    """Everything in the backups; of one that is named itself, its own state."""
    found = _backups_in(root)
    if found is None:
        raise SourceUnknown(source=str(root), why="no list of backups and no archive is in it")
    return _read(*found, options.zone)


def _backups_in(root: Path) -> tuple[Path, str | None] | None:
    """The folder of the backups, and which of them is meant where `root` is a single one."""
    root = Path(os.path.abspath(root))  # what is beside `.` is not below it
    single = root.name.removesuffix(TAR)
    if single != root.name and root.with_name(single + META).is_file():
        return root.parent, single
    if (root.parent / LIST).is_file() and root.is_dir() and root.name != ARCHIVES:
        return root.parent, root.name
    inside = (Path(legacy_aml.BACKUPS), Path(".loom", legacy_aml.BACKUPS))
    beside = root.parent / legacy_aml.BACKUPS
    for folder in (root, *(root / name for name in inside), beside):
        tars = folder.glob(f"*{META}")
        if (
            (folder / LIST).is_file()
            or any(one.with_name(one.name.removesuffix(META) + TAR).is_file() for one in tars)
            or next(folder.glob(f"{ARCHIVES}/*/*decisions_*.json.gz"), None)
        ):
            return folder, None
    return None


def _read(folder: Path, single: str | None, zone: tzinfo) -> Iterator[Found]:
    files, folders = _entries(folder)
    backups: list[Backup] = []
    for one in catalog(files, zone):
        if isinstance(one, Backup):
            backups.append(one)
        else:
            yield one
    backups = newest_first(backups)
    if single is not None:
        at = next((n for n, one in enumerate(backups) if one.id == single), None)
        if at is None:
            yield PassedOver(path=single, reason=_UNLISTED)
            return
        backups = backups[at:]
    yield from State(KIND, Contents(folder, files, folders), zone).read(backups)
    if single is not None:
        return
    known = {one.id + TAR if one.tar else one.id for one in backups}
    for name in sorted((files.keys() | folders.keys()) - known - {ARCHIVES, LIST}):
        if name in folders or name.endswith(TAR):
            yield PassedOver(path=relative(folder / name, folder), reason=_UNLISTED)
        elif not name.endswith(META):
            yield set_aside(files[name], "it is not a file of this format")
    if ARCHIVES in folders:
        yield from _archives(folder, zone)


def _entries(folder: Path) -> tuple[dict[str, SourceFile], dict[str, Path]]:
    """What lies in the folder itself. Links are listed as files, which are not followed."""
    files: dict[str, SourceFile] = {}
    folders: dict[str, Path] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            folders[entry.name] = path
        else:
            files[entry.name] = SourceFile(path, relative(path, folder))
        if len(files) + len(folders) > IMPORT_FILES_MAX:
            raise LimitExceeded(
                what="number of files",
                name=str(folder),
                actual=IMPORT_FILES_MAX + 1,
                limit=IMPORT_FILES_MAX,
            )
    return files, folders


def _archives(root: Path, zone: tzinfo) -> Iterator[Found]:
    """`archives/<agent>/<category>_<day>_<time>.json.gz`, for each agent the newest first."""
    files = walk(root / ARCHIVES, root)
    for folder, of_agent in groupby(files, lambda file: file.relative.rpartition("/")[0]):
        newer: dict[str, set[str]] = {}
        for file in sorted(of_agent, reverse=True):
            data = b""
            try:
                agent = folder.partition("/")[2]
                alone = agent and "/" not in agent
                place = archive_of(agent, file.path.name) if alone else None
                if place is None:
                    raise Unreadable("it is not a file of this format")
                data = read_bytes(file)
                content = parse(unzipped(data))
            except Unreadable as error:
                yield set_aside(file, str(error), data)
                continue
            ids = newer.setdefault(place.namespace, set())
            met: set[str] = set()
            for found in AmlFile(KIND, file.relative, place, zone).read(content, data, ids):
                if isinstance(found, ImportItem):
                    met.add(found.source.id)
                yield found
            ids |= met
