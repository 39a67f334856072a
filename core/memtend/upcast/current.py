"""The compatibility layer: a value of any version, read as one of the newest.

    >>> from memtend import Labels, Memory, as_version
    >>> old = {"id": "p1", "pattern": {"type": "retry"}, "metrics": {"successRate": 0.9}}
    >>> with Memory.open("sqlite://") as memory:
    ...     _ = memory.put("agent/a/patterns", "p1", old, labels=Labels(kind="pattern"))
    ...     record = memory.read("agent/a/patterns", "p1")
    >>> as_version(record).value["performance"]
    {'success_rate': 0.9}

A store of mixed versions is a normal store, and need not be migrated to be read. Nothing is
written, and what is not asked for costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memtend.errors import KindMismatch, MigrationUnknown
from memtend.model.unreadable import Unreadable
from memtend.upcast.family import FAMILIES, Cast, Family

if TYPE_CHECKING:
    from memtend.model.record import Record


def current(kind: str, value: Any, families: tuple[Family, ...] = FAMILIES) -> Cast | None:
    """The value in the newest version of its family; None if it is of none.

    Raises `Unreadable` for a version that nobody here knows.
    """
    for family in families:
        if family.version_of(kind, value) is not None:
            return family.up(kind, value)
    return None


def as_version(record: Record, version: str | None = None) -> Record:
    """The record with its value, and those beside it, in `version`.

    Without `version`, in the newest, and a record of no family is given back as it is; with it,
    such a record raises `KindMismatch`, as one of a version that is not known always does.
    """
    kind = record.labels.kind
    try:
        value = _as(kind, record.value, version)
        values = tuple(_as(kind, one, version) for one in record.values)
    except Unreadable as error:
        raise KindMismatch(
            namespace=record.namespace,
            key=record.key,
            found=f"{kind} that cannot be read in another version ({error})",
            wanted="the newest version" if version is None else f"schema version {version}",
        ) from None
    return record.model_copy(update={"value": value, "values": values})


def _as(kind: str, value: Any, version: str | None) -> Any:
    if version is None:
        cast = current(kind, value)
        return value if cast is None else cast.value
    if not any(version in family.versions for family in FAMILIES):
        raise MigrationUnknown(what=f"schema version {version[:64]!r}")
    for family in FAMILIES:
        if version in family.versions and family.version_of(kind, value) is not None:
            return family.cast(kind, value, version).value
    raise Unreadable("it is no item of a format with versions")
