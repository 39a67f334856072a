"""The archive: what it saves on two kinds of values, and what one recall costs.

Saved are bytes of the values in the archive against the values as JSON, beside gzip -9 of each
value by itself. A second row says the same of whole rows, labels and what stays in the store
included. The store compresses nothing here: its own savings are not the archive's.
English-like values are unique: words drawn by Zipf's law, nothing repeated on purpose. Agent-like
values are what tools leave: the same fields over and over, with other numbers.
"""

from __future__ import annotations

import gzip
import random
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from memtend.archive.plan import plan_archive
from memtend.drafting import Put
from memtend.model.archiverule import ArchivePolicy, ArchiveRule
from memtend.model.policy import Compression, Policy
from memtend.model.policyfile import PolicyFile
from memtend.model.policyset import PolicySet
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import archived
from tests.benchmarks.harness import Row, chunks, expect, undisturbed

NS = "bench/cold"
EVERYTHING = ArchivePolicy(rules=(ArchiveRule(name="all", larger_than_bytes=0, level=19),))
OFF = Compression(enabled=False)
ENGLISH_SAVED, AGENT_SAVED, RECALL_MS = 60.0, 85.0, 20.0
ENGLISH_CHARS = 1_250
RECALLS = 200
WORDS = 9_000
GZIP = "gzip -9, each value"
Make = Callable[[int], dict[str, Any]]


def rows(folder: Path, size: int) -> Iterator[Row]:
    """Savings on both kinds of values, then recalls and reads of single records."""
    for name, make, target in (
        ("English-like", english(), ENGLISH_SAVED),
        ("agent-like JSON", agent_like, AGENT_SAVED),
    ):
        where = folder / name.partition(" ")[0]
        where.mkdir(parents=True)
        settings = Settings(archive_url=str(where / "archive"))
        with open_services(f"sqlite:///{where}/store.db", settings=settings) as services:
            file = PolicyFile(policies=PolicySet(rules=(Policy(pattern="**", compression=OFF),)))
            services.memory.config.set_policies(file, "benchmark")
            texts = _fill(services, make, size)
            yield from _saved(services, name, size, target, texts)
            if name == "English-like":
                yield from _single(services, make, size)
        shutil.rmtree(where)


def english(seed: str = "words") -> Make:
    """Makes prose of invented words, some frequent and most rare, as in any language."""
    dice = random.Random(seed)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "en", "er")]
    words = sorted({"".join(dice.choices(syllables, k=dice.choice((1, 2, 2, 3)))) for _ in
                    range(2 * WORDS)})  # fmt: skip
    dice.shuffle(words)
    words = words[:WORDS]
    weights = list(accumulate(1 / (rank + 2.7) ** 0.9 for rank in range(len(words))))

    def make(number: int) -> dict[str, Any]:
        own = random.Random(number)
        text = ""
        while len(text) < ENGLISH_CHARS:
            drawn = own.choices(words, cum_weights=weights, k=own.randint(6, 18))
            text += " ".join(drawn).capitalize() + ". "
        return {"topic": own.choice(words), "note": text[:ENGLISH_CHARS]}

    return make


def agent_like(number: int) -> dict[str, Any]:
    """A run of an agent as tools write it down."""
    dice = random.Random(number)
    steps = [
        {
            "tool": dice.choice(("search", "fetch", "edit", "test")),
            "arguments": {"path": f"src/module_{dice.randrange(40)}.py", "limit": 100},
            "result": {"status": dice.choice(("ok", "ok", "failed")), "error": None},
            "milliseconds": dice.randrange(5_000),
        }
        for _ in range(8)
    ]
    return {"run_id": number, "agent": f"coder-{dice.randrange(9)}", "state": "done",
            "steps": steps}  # fmt: skip


def _fill(services: Services, make: Make, size: int) -> list[bytes]:
    """Written, and their canonical JSON."""
    texts = []
    for numbers in chunks(range(size), 1_000):
        values = [make(number) for number in numbers]
        labels = Labels(kind="note", agent="ada", importance=0.1)
        services.memory.put_many(
            [Put(NS, key(n), v, labels) for n, v in zip(numbers, values, strict=True)]
        )
        texts += [orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in values]
    return texts


def key(number: int) -> str:
    return f"task/{number:08d}"


def _saved(
    services: Services, name: str, size: int, target: float, texts: list[bytes]
) -> Iterator[Row]:
    raw = sum(map(len, texts))
    zipped = sum(len(gzip.compress(text, 9)) for text in texts)
    plan = plan_archive(
        archived.usage(services.store), EVERYTHING, services.facts(), services.clock.now_ms()
    )
    with undisturbed():
        began = time.perf_counter()
        report = services.apply_archive(plan)
        took = time.perf_counter() - began
    expect(report.written, size, "archived records")
    expect(services.verify_archive().damage_count, 0, "damage")
    found = services.memory.stats().archived
    bodies = sum(len(stub.body) for stub in archived.stubs(services.store))
    gzip_saved = 100 * (1 - zipped / raw)
    values = 100 * (1 - found.archive_bytes / raw)
    whole = 100 * (1 - (found.archive_bytes + found.stub_bytes) / (raw + bodies))
    plain = 100 * (1 - (zipped + bodies) / (raw + bodies))
    yield _row(f"archive, saved of {name} values", size, "%", values, GZIP, gzip_saved, target)
    yield _row(f"archive, saved of {name} rows", size, "%", whole, GZIP, plain, None)
    mine, theirs = size / took, raw / len(texts)
    yield _row(f"archiving {name}", size, "rows/s", mine, "bytes of a value", theirs, None)


def _single(services: Services, make: Make, size: int) -> Iterator[Row]:
    """One at a time, at random places, with no block kept from the one before."""
    dice = random.Random("recall")
    chosen = dice.sample(range(size), min(RECALLS * 2, size))
    reads, recalls = [], []
    for turn, number in enumerate(chosen):
        services._reader().forget()
        began = time.perf_counter()
        if turn % 2:
            expect(services.recall(keys=[(NS, key(number))]).written, 1, "recalled")
            recalls.append((time.perf_counter() - began) * 1e3)
        else:
            found = services.memory.get(NS, key(number))
            reads.append((time.perf_counter() - began) * 1e3)
            expect(found, make(number), "value")
    for name, figures, target in (
        ("recall of one record, p95", recalls, RECALL_MS), ("read of one record, p95", reads, None),
    ):  # fmt: skip
        high = sorted(figures)[int(0.95 * len(figures))]
        row = _row(f"archive, {name}", size, "ms", high, "its own median", median(figures), target)
        yield row._replace(better="lower", rounds=len(figures))


def _row(
    name: str, size: int, unit: str, ours: float, against: str, theirs: float, target: float | None
) -> Row:
    ratio = ours / theirs if theirs else 0.0
    return Row(
        name, size, unit, ours, against, theirs, ratio, ratio, ratio, target, "higher", "ours"
    )
