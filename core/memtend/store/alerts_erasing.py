"""Alerts and silences that name what is erased go with it.

Their texts are sentences, so any that contains the name is dropped, as well as one that was cut and
may have contained it, and one that names damaged records, whosoever they are. One too many does no
harm: while its cause lasts, the next check opens it again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from memtend.model.alert import CUT
from memtend.model.subject import Subject

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.store.engine import Reader
    from memtend.store.store import Store

_TABLES = {"alert": "forget_alert", "silence": "forget_silence"}
_OF_RECORDS = ("health.integrity",)


def forget_alerts(store: Store, subject: Subject, lease: Lease) -> None:
    """Drop whatever names the subject."""
    with store.engine.snapshot() as reader:
        if not any(_naming(reader, subject)):
            return
    with store.change("erase", (), lease) as (change, _):
        for table, row_id in _naming(change.tx, subject):
            change.tx.run(_TABLES[table], (row_id,))


def traces(reader: Reader, subject: Subject) -> Counter[str]:
    """How many rows of each table still name the subject."""
    return Counter(table for table, _ in _naming(reader, subject))


def texts(reader: Reader) -> Iterator[str]:
    """What the alerts that are left say."""
    for table in _TABLES:
        for row in reader.fetch(f"stream_{table}"):
            yield from (cell for cell in row if isinstance(cell, str))


def spelt(subject: Subject) -> re.Pattern[str]:
    """Its name as a text or JSON spells it, not as a part of another word."""
    fixed = subject.name.partition("*")[0].rstrip("/")
    ways = "|".join(re.escape(one) for one in {fixed, orjson.dumps(fixed).decode()[1:-1]})
    return re.compile(rf"(?<!\w)(?:{ways})(?!\w)")


def _naming(reader: Reader, subject: Subject) -> list[tuple[str, str]]:
    name = spelt(subject)
    return [
        (table, row[0])
        for table in _TABLES
        for row in reader.fetch(f"stream_{table}")
        if row[1] in _OF_RECORDS
        or any(_names(name, cell) for cell in row[1:] if isinstance(cell, str))
    ]


def _names(name: re.Pattern[str], text: str) -> bool:
    return name.search(text) is not None or CUT in text
