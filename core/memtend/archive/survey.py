"""What the archive holds and what of it the store still names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.archive.manifest import Name, Part, Unused
from memtend.archive.report import ArchiveRun
from memtend.archive.vault import Vault

if TYPE_CHECKING:
    from memtend.store.archived import Stub


_EVER: Final = datetime.min.replace(tzinfo=UTC)


class ObjectState(NamedTuple):
    """One object. `live_bytes` is what the store names of its `stored_bytes`.

    `since` is when it was first seen to hold nothing that the store names. A backup taken from
    `made` on may name it; None where no manifest does, so that no backup can either.
    """

    digest: str
    stored_bytes: int
    live_bytes: int
    live: int
    since: datetime | None
    parts: tuple[Name, ...]
    made: datetime | None = None

    @property
    def dead_share(self) -> float:
        return 1 - self.live_bytes / self.stored_bytes if self.stored_bytes else 0.0


class Survey(NamedTuple):
    """`damaged` counts stubs that cannot be read: what they name is not known."""

    objects: tuple[ObjectState, ...]
    lists: tuple[Name, ...]
    damaged: int

    @property
    def unused(self) -> tuple[ObjectState, ...]:
        return tuple(one for one in self.objects if not one.live)


def survey(vault: Vault, stubs: Iterable[Stub], restored: datetime | None = None) -> Survey:
    """Look at all objects, all manifests and all stubs; no object is read.

    `restored` is when the store last became another state: what it names may have been listed as
    unused before, and has been in use since, so nothing counts as unused from an earlier time.
    """
    parts: dict[str, list[Name]] = {}
    lists: list[Name] = []
    since: dict[str, datetime] = {}
    made: dict[str, datetime] = {}
    # An old stub may name an object that an erasure has replaced: what it needs is in the new one.
    places: dict[str, set[str]] = {}
    for name, said in vault.said():
        if isinstance(said, Unused):
            lists.append(name)
            since = said.since
            continue
        parts.setdefault(said.object, []).append(name)
        at = _EVER if said.replaces else said.at  # older backups find their records here
        made[said.object] = min(at, made.get(said.object, at))
        for replaced in said.replaces:
            places.setdefault(replaced, set()).add(said.object)
    live: dict[str, list[int]] = {}
    damaged = 0
    for stub in stubs:
        if stub.address is None:
            damaged += 1
            continue
        named = stub.address.object.hex()
        for digest in (named, *places.get(named, ())):
            found = live.setdefault(digest, [0, 0])
            found[0] += 1
            found[1] += stub.address.kept_bytes
    sizes = {i.name.rpartition("/")[2]: i.size for i in vault.store.list("objects/")}
    states = []
    for digest in sorted(sizes.keys() | parts.keys()):
        count, size = live.get(digest, (0, 0))
        seen = since.get(digest)
        if seen is not None and restored is not None:
            seen = max(seen, restored)
        states.append(
            ObjectState(
                digest, sizes.get(digest, 0), size, count, seen,
                tuple(parts.get(digest, ())), made.get(digest),
            )
        )  # fmt: skip
    return Survey(tuple(states), tuple(lists), damaged)


def runs(parts: Iterable[tuple[Name, Part]]) -> Iterator[ArchiveRun]:
    """Every run of which the archive still holds something, oldest first."""
    found: dict[int, ArchiveRun] = {}
    for _, part in parts:
        for run, count in part.runs.items():
            had = found.get(run) or ArchiveRun(run=run, at=part.at, records=0, objects=0, rules={})
            rules = dict(had.rules)
            if len(part.runs) == 1:
                for rule, number in part.rules.items():
                    rules[rule] = rules.get(rule, 0) + number
            found[run] = had.model_copy(
                update={
                    "records": had.records + count, "objects": had.objects + 1, "rules": rules,
                    "at": min(had.at, part.at),
                }
            )  # fmt: skip
    yield from (found[run] for run in sorted(found))
