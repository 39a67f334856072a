"""67, 68: moving a store from one schema to another."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class SchemaRefused(MemtendError):
    """Nothing was touched."""

    code = 67
    message = "the schema of {url} stays as it is: {why}"
    hint = "Deal with what is named, then plan again; the store is as it was."


class SchemaWrong(MemtendError):
    """A rehearsal or the migration itself did not give what it had to."""

    code = 68
    message = "moving {url} to schema {wanted} went wrong: {why}"
    hint = "Run `memtend verify` with the release that made the store, and keep its snapshot."
