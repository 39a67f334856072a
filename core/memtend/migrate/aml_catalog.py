"""Which backups of an AML tree a folder holds, by the lists that its two programs kept of them.

One wrote `backup_metadata.json` and a folder for each backup, the other a `.meta.json` beside each
`.tar.gz`. What such a list says is only compared with what is in the folder: paths and names in it
are never opened, and what is no backup is quarantined entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from memtend.limits import PATH_BYTES_MAX
from memtend.limits_foreign import AML_BACKUPS_MAX
from memtend.migrate.files import SourceFile, read_bytes, set_aside, unzipped
from memtend.migrate.items import Quarantined, quarantined
from memtend.migrate.jsontext import as_text, parse, refuse_doubled_keys
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import is_text

LIST: Final = "backup_metadata.json"
META: Final = ".meta.json"
TAR: Final = ".tar.gz"
_FULL: Final = "full"
_KINDS: Final = (_FULL, "incremental", "differential")


class Backup(NamedTuple):
    """One backup. `checksums` are those of its files, by `<agent>/<file>`; a tar has one of all.

    The list says `full`, `parent` and `agents`; none of them is believed where the data differs.
    """

    id: str
    at_ms: int
    full: bool
    tar: bool
    parent: str | None
    agents: frozenset[str]
    checksums: Mapping[str, str]
    checksum: str | None = None


def catalog(files: Mapping[str, SourceFile], zone: tzinfo) -> Iterator[Backup | Quarantined]:
    """Every backup that the lists among `files` name, in no order."""
    for name, file in files.items():
        if name == LIST or name.endswith(META):
            yield from _read(file, name, zone)


def newest_first(backups: Sequence[Backup]) -> list[Backup]:
    """Of one moment, what builds on the other is newer."""
    return sorted(backups, key=lambda one: (one.at_ms, not one.full, one.id), reverse=True)


def _read(file: SourceFile, name: str, zone: tzinfo) -> Iterator[Backup | Quarantined]:
    data = b""
    try:
        data = read_bytes(file)
        content = parse(unzipped(data)).value
        refuse_doubled_keys(content)
        entries = content.get("backups") if name == LIST and isinstance(content, dict) else None
        if name == LIST and not isinstance(entries, list):
            raise Unreadable("it is not a list of backups")
        if entries is not None and len(entries) > AML_BACKUPS_MAX:
            raise Unreadable(f"it lists more than {AML_BACKUPS_MAX:,} backups")
    except Unreadable as error:
        yield set_aside(file, str(error), data)
        return
    for entry in [content] if entries is None else entries:
        try:
            yield _backup(entry, name, zone)
        except (Unreadable, NotATime) as error:
            yield quarantined(file.relative, str(error), as_text(entry, data))


def _backup(entry: Any, name: str, zone: tzinfo) -> Backup:
    if not isinstance(entry, dict):
        raise Unreadable("it is not a backup")
    tar = name != LIST
    names = ("id", "type", "parentBackupId") if tar else ("backup_id", "backup_type",
                                                          "parent_backup_id")  # fmt: skip
    backup_id, kind, parent = (entry.get(name) for name in names)
    if not isinstance(backup_id, str) or not _is_name(backup_id):
        raise Unreadable("it has no id that is the name of a backup")
    if tar and name != backup_id + META:
        raise Unreadable(f"it is of another backup: {backup_id}")
    if kind not in _KINDS:
        raise Unreadable("it is neither a full nor an incremental backup")
    agents, checksums = entry.get("agents"), {} if tar else entry.get("checksums")
    if not isinstance(agents, list) or not all(map(_is_name, agents)):
        raise Unreadable("its agents are not a list of names")
    if not isinstance(checksums, dict):
        raise Unreadable("it has no checksums")
    checksum = entry.get("checksum")
    if checksum is not None and not isinstance(checksum, str):
        raise Unreadable("its checksum is not text")
    return Backup(
        id=backup_id,
        at_ms=parse_moment(entry.get("timestamp"), zone).ms,
        full=kind == _FULL,
        tar=tar,
        parent=parent if isinstance(parent, str) else None,
        agents=frozenset(agents),
        checksums=checksums,
        checksum=checksum.lower() if checksum else None,
    )


def _is_name(text: Any) -> bool:
    """One segment, so that it cannot lead anywhere."""
    if not is_text(text, PATH_BYTES_MAX):
        return False
    return text not in (".", "..") and not any(mark in text for mark in "/\\")
