"""What replicas tell each other (CRDT_SPEC 5.1): plain tuples, for they travel by the million."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from memtend.model.dot import Dot


class DeltaHead(NamedTuple):
    """Who says how much to whom.

    `vv` is what the sender has seen, `since` what the receiver must have seen. A `full` delta
    names every key of the sender: what it leaves out is gone there. `sent_ms` is the sender's own
    time, `heard` when it last heard, directly or through others, from those that it knows of.
    """

    sender: str
    store_id: str
    epoch: int
    vv: Mapping[str, int]
    since: Mapping[str, int]
    full: bool
    floor: Mapping[str, int]
    hlc: int
    sent_ms: int
    heard: Mapping[str, int] = {}


class Named(NamedTuple):
    """A sibling that the receiver has seen: its name, and a mark of everything in it."""

    dot: Dot
    mark: int


class Carried(NamedTuple):
    """A sibling with its value: body without dictionary, deadline, canonical JSON."""

    body: bytes
    exp_ms: int | None
    text: bytes


class Ended(NamedTuple):
    """An event that left no sibling; when and why is for people."""

    dot: Dot
    at_ms: int
    why: str


Told: TypeAlias = Named | Carried


class Item(NamedTuple):
    """All siblings of one path, and its events that the receiver may not have seen."""

    namespace: str
    key: str
    field: str
    siblings: tuple[Told, ...]
    ended: tuple[Ended, ...]

    @property
    def path(self) -> tuple[str, str, str]:
        return self[:3]


class Applied(NamedTuple):
    """What taking in a delta did. `keys` were told, `added` and `dropped` count siblings.

    `erased` were left out, because they had been erased here. `vv` is what is seen here now.
    `new_replica` is the id under which this replica writes from now on, where it had to change.
    """

    sender: str
    keys: int
    added: int
    dropped: int
    erased: int
    vv: dict[str, int]
    alarms: tuple[str, ...] = ()
    new_replica: str | None = None
