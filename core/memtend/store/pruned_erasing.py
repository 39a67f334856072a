"""Erasing what pruning remembers: ghosts, and the names of namespaces in regret and history.

A ghost says nothing of who owned the record. Those of a label's records are found by what the
archive has kept of them, before that is erased there as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from memtend.model.subject import Subject, SubjectKind
from memtend.store import accesslog, ghosts, prunings

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Reader
    from memtend.store.store import Store


def forget_pruned(store: Store, subject: Subject, lease: Lease) -> None:
    """Everything that names a record or a namespace, whether anything else knows of it or not."""
    if subject.kind is SubjectKind.RECORD and subject.namespace is not None:
        forget_paths(store, [(subject.namespace, subject.name)], lease)
    elif subject.kind is SubjectKind.NAMESPACE:
        with store.change("erase", (), lease) as (change, _):
            erased = {name for _, name in _named(change.tx) if subject.covers_name(name)}
            prunings.forget_namespaces(change.tx, sorted(erased))


def forget_paths(store: Store, paths: Iterable[tuple[str, str]], lease: Lease) -> None:
    """The ghosts of these records, and the accesses to them that were sampled."""
    by_namespace: dict[str, list[str]] = {}
    for namespace, key in paths:
        by_namespace.setdefault(namespace, []).append(key)
    if by_namespace:
        with store.change("erase", (), lease) as (change, _):
            for namespace, keys in by_namespace.items():
                ghosts.forget(store, change.tx, namespace, keys)
                for number, _ in change.tx.fetch("namespace", (namespace,)):
                    accesslog.forget(store, change.tx, namespace, number, keys)


def traces(reader: Reader, subject: Subject) -> Counter[str]:
    """How many rows of each table still name the subject."""
    found: Counter[str] = Counter()
    if subject.kind is SubjectKind.RECORD:
        digest = ghosts.digest_of(subject.name)
        rows = reader.stream("stream_ghost")
        found["ghost"] = sum(row[:2] == (subject.namespace, digest) for row in map(tuple, rows))
    elif subject.kind is SubjectKind.NAMESPACE:
        found.update(table for table, name in _named(reader) if subject.covers_name(name))
    return found


def names(reader: Reader) -> set[str]:
    """The namespaces that pruning remembers."""
    return {name for _, name in _named(reader)}


def _named(reader: Reader) -> Iterator[tuple[str, str]]:
    for (name,) in reader.fetch("ghost_namespaces"):
        yield "ghost", name
    for _, name, *_ in reader.fetch("stream_regret"):
        yield "regret", name
    for one in prunings.opened(reader.fetch("stream_pruning")):
        yield from (("pruning", name) for name in one.namespaces)
