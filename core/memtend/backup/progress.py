"""How far a verification in pieces has come, kept in the repository itself.

    checks/<number>-<hash>            JSON; the hash in the name is that of the content

A cycle begins when nothing is left of the one before. What is damaged is looked at again in every
run, so that no run is silent about damage that an earlier one has found. Progress that is lost or
cannot be read costs time and nothing else: everything is checked again.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final, Literal

import orjson
from pydantic import BaseModel, ValidationError

from memtend.errors import MemtendError, ObjectDamaged, ObjectMissing
from memtend.formats import VERIFY_PROGRESS_FORMAT
from memtend.limits import VERIFY_PROGRESS_BYTES_MAX
from memtend.objects import ObjectStore

FOLDER: Final = "checks/"
_NAME: Final = re.compile(r"checks/([0-9]{20})-([0-9a-f]{64})", re.ASCII)


class Progress(BaseModel, frozen=True, extra="forbid"):
    """`checked`: when, in ms, an object was last read in this cycle; `bad` are those not sound."""

    format: Literal[1] = VERIFY_PROGRESS_FORMAT
    checked: dict[str, int] = {}
    bad: tuple[str, ...] = ()

    def going_on(self, wanted: set[str]) -> Progress:
        """The same for what is there now; a new cycle if nothing of it is left to do."""
        checked = {digest: at for digest, at in self.checked.items() if digest in wanted}
        bad = tuple(digest for digest in self.bad if digest in wanted)
        return Progress(bad=bad) if wanted <= set(checked) else Progress(checked=checked, bad=bad)


def load_progress(store: ObjectStore) -> Progress:
    """What the newest run left, or nothing."""
    names = sorted(info.name for info in store.list(FOLDER) if _NAME.fullmatch(info.name))
    if not names:
        return Progress()
    try:
        data = store.get(names[-1], limit=VERIFY_PROGRESS_BYTES_MAX)
        if sha256(data).hexdigest() != names[-1].rpartition("-")[2]:
            return Progress()
        return Progress.model_validate_json(data)
    except (ObjectDamaged, ObjectMissing, ValidationError):
        return Progress()


def save_progress(store: ObjectStore, progress: Progress) -> str:
    """Keep it in the place of older ones. Why it could not be kept, if so."""
    data = orjson.dumps(progress.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    try:
        listed = sorted(info.name for info in store.list(FOLDER))
        known = [match for name in listed if (match := _NAME.fullmatch(name))]
        number = int(known[-1][1]) + 1 if known else 1
        store.put_if_absent(f"{FOLDER}{number:020d}-{sha256(data).hexdigest()}", data)
        for name in listed:
            store.delete(name)
    except MemtendError as error:
        return f"how far this run came could not be kept: {error}"
    return ""
