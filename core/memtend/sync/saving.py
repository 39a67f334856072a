"""Unsent writes in a file, before their store takes another's state (CRDT_SPEC 8.3).

One JSON object a line; the first says whose writes they are. The file is new, synced with its
folder and read back: only then may what it holds be given up.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.errors import InvalidSettings, StoreFull
from memtend.formats import UNSENT_FORMAT
from memtend.store.durable import make_folders, sync_folder
from memtend.store.rejoining import unsent
from memtend.store.sync import vector

if TYPE_CHECKING:
    from memtend.store.store import Store

_READ_BYTES = 1 << 20
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Saved(NamedTuple):
    path: str
    writes: int


NOTHING: Final = Saved("", 0)


def save_writes(store: Store, known: Mapping[str, int], epoch: int, file: Path) -> Saved:
    """Save what `store` holds and somebody of `epoch` who has seen `known` has not."""
    meta = store.meta()
    whose = {
        "store": meta.store_id, "replica": store.own_replica(), "epoch": meta.epoch,
        "to_epoch": epoch, "at_ms": store.clock.now_ms(),
    }  # fmt: skip
    return save_unsent(file, whose, unsent(store, known))


class Guard:
    """Saves our own writes before a merge that may take them for something else.

    Somebody has seen events under our id that we never wrote: this store was put back to an older
    copy of itself. What was written here since bears numbers that others know as other events, and
    merging drops it.
    """

    def __init__(self, store: Store, file: Callable[[], Path]) -> None:
        self._store, self._file = store, file
        self.saved = NOTHING

    def look(self, theirs: Mapping[str, int]) -> bool:
        """Whether `theirs` says so; our writes are safe then."""
        own = self._store.own_replica()
        if theirs.get(own, 0) <= vector(self._store).get(own, 0):
            return False
        others = {replica: n for replica, n in theirs.items() if replica != own}
        epoch = self._store.meta().epoch
        self.saved = save_writes(self._store, others, epoch, self._file())
        return True


def refuse_copy(store: Store, theirs: Mapping[str, int]) -> None:
    """Raise where `store` would only give, under an id of which `theirs` knows more than it does.

    By taking something, it draws a new one.
    """
    own = store.own_replica()
    if theirs.get(own, 0) > vector(store).get(own, 0):
        why = f"{store.url} was copied or put back; sync without --pull and --push"
        raise InvalidSettings(name="peer", why=why)


def save_unsent(path: Path, whose: Mapping[str, Any], writes: Iterable[Mapping[str, Any]]) -> Saved:
    """Write the file, or raise and leave none. Without any write there is no file."""
    lines = _Lines(whose, writes)
    first = next(lines.rest, None)
    if first is None:
        return Saved("", 0)
    try:
        make_folders(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        why = f"{path} is there already; what it holds is not overwritten"
        raise InvalidSettings(name="quarantine", why=why) from None
    except OSError as error:
        raise _refused(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            for line in (lines.head, first):
                file.write(lines.count(line))
            for line in lines.rest:
                file.write(lines.count(line))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
        if _digest_of(path) != lines.digest.hexdigest():
            raise InvalidSettings(name="quarantine", why=f"{path} reads back differently")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _refused(path, error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Saved(str(path), lines.written - 1)


class _Lines:
    def __init__(self, whose: Mapping[str, Any], writes: Iterable[Mapping[str, Any]]) -> None:
        self.head = _line({"format": UNSENT_FORMAT, **whose})
        self.rest: Iterator[bytes] = (_line(write) for write in writes)
        self.digest = sha256()
        self.written = 0

    def count(self, line: bytes) -> bytes:
        self.digest.update(line)
        self.written += 1
        return line


def _line(data: Mapping[str, Any]) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _digest_of(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def _refused(path: Path, error: OSError) -> Exception:
    if error.errno in _NO_SPACE:
        return StoreFull(url=str(path))
    why = f"{path} cannot be written ({error.strerror or type(error).__name__})"
    return InvalidSettings(name="quarantine", why=why)
