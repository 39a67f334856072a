"""Erasing what learning remembers: sampled accesses, models and trials that name the subject.

Sampled accesses name nobody; those of an erased record go with its ghost (`erasing`), those of a
namespace here. A model or a trial whose row contains the name goes as a whole: what was learned
from somebody is not kept for having been learned. What uses a model goes on without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from memtend.limits import ERASE_TEXT_BYTES_MIN
from memtend.model.subject import Subject, SubjectKind
from memtend.store.alerts_erasing import spelt
from memtend.store.sampled import digest_of

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_TABLES = {"model": "drop_model", "trial": "drop_trial"}


def forget_learned(store: Store, subject: Subject, lease: Lease) -> None:
    """Drop whatever names the subject, and the accesses of its namespaces."""
    with store.engine.snapshot() as reader:
        if not any(traces(reader, subject).values()):
            return
    with store.change("erase", (), lease) as (change, _):
        for number in _namespaces(change.tx, subject):
            change.tx.run("drop_accesses_in", (number,))
        for table, row_id in _naming(change.tx, subject):
            change.tx.run(_TABLES[table], (row_id,))


def drop_models(store: Store, model_ids: Iterable[str], lease: Lease) -> None:
    """Models whose files name the subject."""
    with store.change("erase", (), lease) as (change, _):
        change.tx.run_many("drop_model", [(model_id,) for model_id in model_ids])


def models_naming(store: Store, subject: Subject) -> list[str]:
    """Models whose rows name the subject."""
    with store.engine.snapshot() as reader:
        return [row_id for table, row_id in _naming(reader, subject) if table == "model"]


def traces(reader: Reader, subject: Subject) -> Counter[str]:
    """How many rows of each table still name the subject, or are of it."""
    found = Counter(table for table, _ in _naming(reader, subject))
    if subject.kind is SubjectKind.RECORD and subject.namespace is not None:
        digest = digest_of((subject.namespace, subject.name))
        for number, _ in reader.fetch("namespace", (subject.namespace,)):
            found["access_log"] = reader.fetch("accesses_at", (digest, number))[0][0]
    for number in _namespaces(reader, subject):
        found["access_log"] += reader.fetch("accesses_in", (number,))[0][0]
    return found


def texts(reader: Reader) -> Iterator[str]:
    """What the models and trials that are left say."""
    for table in _TABLES:
        for row in reader.fetch(f"stream_{table}"):
            yield from (cell for cell in row if isinstance(cell, str))


def _namespaces(reader: Reader, subject: Subject) -> list[int]:
    if subject.kind is not SubjectKind.NAMESPACE:
        return []
    return [number for number, path, _ in reader.fetch("namespaces") if subject.covers_name(path)]


def tells(subject: Subject) -> bool:
    """Whether its name can be told from a word that means something else: keys are often short."""
    return subject.kind is not SubjectKind.RECORD or len(subject.name) >= ERASE_TEXT_BYTES_MIN


def _naming(reader: Reader, subject: Subject) -> list[tuple[str, str]]:
    if not tells(subject):
        return []
    name = spelt(subject)
    return [
        (table, row[0])
        for table in _TABLES
        for row in reader.fetch(f"stream_{table}")
        if any(name.search(cell) for cell in row if isinstance(cell, str))
    ]
