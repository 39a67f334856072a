"""The newest state that backups of an AML tree hold together.

A chain is the newest backup that is whole, and what it builds on down to a full one. Where a link
is missing the next older backup takes its place, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from memtend.migrate.aml_catalog import Backup
from memtend.migrate.aml_contents import Contents, Piece
from memtend.migrate.aml_items import AmlFile
from memtend.migrate.aml_places import Place, place_of
from memtend.migrate.files import set_aside, unzipped
from memtend.migrate.items import Found, ImportItem, PassedOver, quarantined
from memtend.migrate.jsontext import parse
from memtend.model.unreadable import Unreadable

_TWIN: Final = ".json.gz"


def next_link(last: Backup | None, older: Sequence[Backup]) -> tuple[int, bool]:
    """Which of `older`, newest first, `last` builds on; and whether it is that one, or had to be
    taken for want of it.

    One of the two programs noted what it built on; the other always took its newest.
    """
    if last is None:
        return 0, True
    for at, one in enumerate(older):
        if one.id == last.parent or (last.parent is None and one.tar == last.tar):
            return at, True
    return 0, False


class State:
    """Reads a state, file by file. A file of several backups comes from the newest that has it."""

    def __init__(self, kind: str, contents: Contents, zone: tzinfo) -> None:
        self._kind = kind
        self._contents = contents
        self._zone = zone
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._twins: dict[str, set[str]] = {}
        self._told: set[str] = set()

    def read(self, backups: Sequence[Backup]) -> Iterator[Found]:
        """`backups` are sorted, the newest first."""
        older = list(backups)
        chain: list[Backup] = []
        names: set[str] = set()
        while older and not (chain and chain[-1].full):
            last = chain[-1] if chain else None
            at, known = next_link(last, older)
            backup = older.pop(at)
            try:
                names |= self._contents.names(backup)
            except Unreadable as error:
                yield self._lost(backup, str(error))
                continue
            if last is not None and not known:
                why = f"what it builds on cannot be read; {backup.id} stands in for it"
                yield PassedOver(path=self._contents.where(last), reason=why)
            chain.append(backup)
        if chain and not chain[-1].full:
            why = "what it builds on is not there: files that had not changed are missing"
            yield PassedOver(path=self._contents.where(chain[-1]), reason=why)
        # Of `x.json` and `x.json.gz` the first is newer, whatever their order in a tar is.
        self._twins = {name.removesuffix(".gz"): set() for name in names if name.endswith(_TWIN)}
        for twins in (False, True) if self._twins else (False,):
            for backup in chain:
                yield from self._take(backup, twins, again=False)
            for backup in older:
                if any(name.endswith(_TWIN) == twins for name in self._failed):
                    yield from self._take(backup, twins, again=True)
        if chain:
            yield from self._passed(older, chain[0].id, names)

    def _lost(self, backup: Backup, why: str) -> Found:
        file = self._contents.source(backup)
        if file is None:
            return quarantined(self._contents.where(backup), why, b"")
        return set_aside(file, why)

    def _take(self, backup: Backup, twins: bool, again: bool) -> Iterator[Found]:
        """What is not there yet; `again`, only what failed in newer backups."""

        def wanted(path: str) -> bool:
            if path in self._done or path.endswith(_TWIN) != twins:
                return False
            if isinstance(place_of(path), str):  # never read
                return False
            return path in self._failed if again else True

        try:
            if again:
                self._contents.names(backup)
            for piece in self._contents.pieces(backup, wanted):
                if piece.path is not None:
                    yield from self._read(piece, piece.path)
                elif not (again or twins):
                    yield quarantined(piece.where, piece.why or "", piece.raw)
        except Unreadable as error:
            if self._contents.where(backup) not in self._told:
                self._told.add(self._contents.where(backup))
                yield self._lost(backup, str(error))

    def _read(self, piece: Piece, path: str) -> Iterator[Found]:
        place = place_of(path)
        try:
            if piece.why is not None:
                raise Unreadable(piece.why)
            if not isinstance(place, Place):
                raise Unreadable("it is not a file of this format")
            content = parse(unzipped(piece.text, len(piece.raw)))
        except Unreadable as error:
            self._failed.add(path)
            yield quarantined(piece.where, str(error), piece.raw)
            return
        self._done.add(path)
        self._failed.discard(path)
        newer = self._twins.get(path.removesuffix(".gz"), set()) if path.endswith(_TWIN) else set()
        ids = self._twins.get(path)
        found_in = AmlFile(self._kind, piece.where, place, self._zone)
        for found in found_in.read(content, piece.raw, newer):
            if ids is not None and isinstance(found, ImportItem):
                ids.add(found.source.id)
            yield found

    def _passed(self, older: Sequence[Backup], newest: str, names: set[str]) -> Iterator[Found]:
        for name in sorted(names):
            why_not = place_of(name)
            if isinstance(why_not, str):
                yield PassedOver(path=f"{newest}/{name}", reason=why_not)
        for backup in older:
            where = self._contents.where(backup)
            yield PassedOver(path=where, reason=f"an older state than that of {newest}")
            for path in sorted(backup.checksums.keys() - names):
                if not isinstance(place_of(path), str):
                    names.add(path)
                    why = f"{newest} no longer has it: it was deleted or left out since"
                    yield PassedOver(path=f"{where}/{path}", reason=why)
