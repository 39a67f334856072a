"""75: the one operation that writes to a database of another program."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ForeignSweepRefused(MemtendError):
    """Nothing more was deleted than what was committed before; the rest is as it was."""

    code = 75
    message = "{path} is not swept: {why}"
    hint = "Read the plan of `memtend claude-flow sweep`; --delete-share-max raises its limit."
