"""One stored row seen by a migration: what would become of it, and what it says so afterwards.

    look = Forward(family, "2.0.0", run=run)(row)      # or Backward(family, run)(row)

A row that was moved forward says so in its labels (`model/migrated.py`), so that runs can be taken
back one after the other, and an edited record is known. Pure: rows in, looks out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import ormsgpack

from memtend.codec.canonical import encode
from memtend.codec.envelope import content_of
from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits import MIGRATION_BEFORE_MAX
from memtend.model.migrated import BEFORE, CONTENT, MIGRATED, RUN, WAS, chain
from memtend.model.unreadable import Unreadable

if TYPE_CHECKING:
    from memtend.store.recasting import Aged
    from memtend.upcast.family import Family


class Move(StrEnum):
    """What becomes of a row.

    `edited`: somebody has written it since the run that is to be taken back. `moved on`: a later
    run has, which must be taken back first. `archived`: its value lies in the archive, stays as it
    is there and is up-cast when it is read.
    """

    CAST = "cast"
    CURRENT = "current"
    NEWER = "newer"
    EDITED = "edited"
    MOVED_ON = "moved on"
    ARCHIVED = "archived"
    REFUSED = "refused"


class Look(NamedTuple):
    """`found` is the version that the row has, "" where that is not known.

    With `CAST`, `text` is the new value, `content` its number, `extra` what goes with it.
    """

    aged: Aged
    kind: str
    move: Move
    found: str = ""
    text: bytes = b""
    content: int = 0
    extra: bytes | None = None
    losses: tuple[str, ...] = ()
    why: str = ""


class Forward:
    """To the version `wanted`. Without `run` nothing will be written, and no `extra` is made;
    without `casting` versions are only told."""

    def __init__(self, family: Family, wanted: str, run: str = "", *, casting: bool = True) -> None:
        self._family = family
        self._wanted = wanted
        self._run = run
        self._casting = casting
        self._at = {version: at for at, version in enumerate(family.versions)}
        self._wanted_at = self._at[wanted]
        self.kinds = sorted(family.kinds)

    def __call__(self, aged: Aged) -> Look | None:
        """None for a row of another family."""
        kind, stored, found = aged.kind, aged.text, ""
        if stored is None:
            return _unreadable(aged)
        try:
            value = orjson.loads(stored)
            version = self._family.version_of(kind, value)
            if version is None:
                return None
            found = version
            if self._at[found] >= self._wanted_at:
                move = Move.CURRENT if found == self._wanted else Move.NEWER
                return Look(aged, kind, move, found)
            if not self._casting:
                return Look(aged, kind, Move.CAST, found)
            cast = self._family.up(kind, value, self._wanted)
            text = encode(cast.value)
        except (Unreadable, InvalidValue, LimitExceeded) as error:
            return Look(aged, kind, Move.REFUSED, found, why=str(error))
        content = content_of(text)
        extra = self._extra(aged, found, content, cast.undo) if self._run else None
        return Look(aged, kind, Move.CAST, found, text, content, extra, cast.losses)

    def _extra(self, aged: Aged, found: str, content: int, undo: Any | None) -> bytes:
        extra = without_stale(aged.extra, aged.content)
        label = {"family": self._family.name, "from": found, RUN: self._run, CONTENT: content}
        label[WAS] = aged.content
        if undo is not None:
            label["undo"] = undo
        if MIGRATED in extra:
            label[BEFORE] = extra[MIGRATED]
        extra[MIGRATED] = label
        return ormsgpack.packb(extra)


class Backward:
    """Back to what each row was before `run`. Rows that were edited since are left alone."""

    def __init__(self, family: Family, run: str) -> None:
        self._family = family
        self._run = run
        self.kinds = sorted(family.kinds)

    def __call__(self, aged: Aged) -> Look | None:
        """None for a row that the run has not written."""
        if aged.why:
            return None  # whose it is cannot be read; verifying the store tells of it
        extra = aged.extra
        label = extra.get(MIGRATED)
        if not isinstance(label, dict) or not _is_from(label, self._run):
            return None
        kind, stored, found = aged.kind, aged.text, ""
        if stored is None:
            return _unreadable(aged)
        try:
            if (stays := self._stays(stored, label)) is not None:
                move, why = stays
                return Look(aged, kind, move, str(label.get("from", "")), why=why)
            value = orjson.loads(stored)
            found = self._family.version_of(kind, value) or ""
            cast = self._family.down(kind, value, _version_in(label), label.get("undo"))
            text = encode(cast.value)
        except (Unreadable, InvalidValue, LimitExceeded) as error:
            return Look(aged, kind, Move.REFUSED, found, why=str(error))
        if BEFORE in label:
            extra[MIGRATED] = label[BEFORE]
        else:
            del extra[MIGRATED]
        packed = ormsgpack.packb(extra) if extra else None
        return Look(aged, kind, Move.CAST, found, text, content_of(text), packed, cast.losses)

    def _stays(self, stored: bytes, label: dict[str, Any]) -> tuple[Move, str] | None:
        if content_of(stored) != label.get(CONTENT):
            return Move.EDITED, "it was written again since"
        if label.get(RUN) == self._run:
            return None
        why = f"the later run {label.get(RUN)} moved it on; take that one back first"
        return Move.MOVED_ON, why


def without_stale(extra: dict[str, Any], content: Any) -> dict[str, Any]:
    """Labels but for what many runs said of earlier values than `content`. Nothing leads back to
    those, and what is written and migrated again and again would keep it all."""
    label = extra.get(MIGRATED)
    if not isinstance(label, dict) or label.get(CONTENT) == content:
        return extra
    depth = sum(1 for _ in chain(label))
    if depth < MIGRATION_BEFORE_MAX:
        return extra
    return {name: said for name, said in extra.items() if name != MIGRATED}


def _is_from(label: Any, run: str) -> bool:
    """Whether this run wrote the row, or one before the last that did."""
    return any(one.get(RUN) == run for one in chain(label))


def _version_in(label: dict[str, Any]) -> str:
    """A label may have come from another replica, so it is not believed unseen."""
    version = label.get("from")
    if not isinstance(version, str):
        raise Unreadable("it does not say which version it came from")
    return version


def _unreadable(aged: Aged) -> Look:
    if aged.why:
        return Look(aged, aged.kind, Move.REFUSED, why=aged.why)
    return Look(aged, aged.kind, Move.ARCHIVED)
