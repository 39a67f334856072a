"""One look at a store's health, in CPU time, at sizes a decade apart.

The health check that this replaces took 630 ms of CPU at 10,000 items when it was measured, for it
reads every one. No part of ours reads more in a larger store: so each size is also compared with
the smallest in the same rounds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.serving.looks import rows_of
from memtend.settings import Settings
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, chunks, compared, expect, undisturbed
from tests.benchmarks.stores import BATCH

ORIGINAL_MS = 630.0
ORIGINAL_ITEMS = 10_000
SHARE = 0.1
NOISE = 1.25
ROUNDS = 21
AGENTS = 100  # none of them near its quota


def rows(folder: Path, sizes: Sequence[int]) -> Iterator[Row]:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        stores = []
        for size in sizes:
            settings = Settings(archive_url=str(folder / f"archive-{size}"))
            url = f"sqlite:///{folder}/{size}.db"
            services = stack.enter_context(open_services(url, settings=settings))
            _fill(services, size)
            services.health()  # the first one looks whether values are of an older version
            stores.append((size, services))
        looks: dict[int, list[float]] = {size: [] for size in sizes}
        samples: dict[int, list[float]] = {size: [] for size in sizes}
        for turn in range(ROUNDS):
            for size, services in stores if turn % 2 else reversed(stores):
                looks[size].append(_look(services, size))
                samples[size].append(_sample(services))
    small = sizes[0]
    theirs = [ORIGINAL_MS] * ROUNDS
    name = f"what this replaces, at {ORIGINAL_ITEMS:,}"
    for size in sizes:
        yield compared("health, one look", size, "ms", looks[size], name, theirs, SHARE, "lower")
    for size in sizes[1:]:
        against = f"memtend at {small:,} records"
        yield compared(
            "health, one look", size, "ms", looks[size], against, looks[small], NOISE, "lower"
        )
    whole = compared(
        "health, the rows of a look", sizes[-1], "ms", samples[sizes[-1]], "the whole look",
        looks[sizes[-1]], None, "lower",
    )  # fmt: skip
    yield whole


def _fill(services: Services, size: int) -> None:
    labels = [Labels(kind="fact", agent=f"agent-{n}") for n in range(AGENTS)]
    for chunk in chunks(range(size), BATCH):
        made = [(n, item(n)) for n in chunk]
        services.memory.put_many([Put(*one[:3], labels[n % AGENTS]) for n, one in made])


def _look(services: Services, size: int) -> float:
    with undisturbed():
        began = time.process_time()
        report = services.health()
        took = time.process_time() - began
    expect((report.records, report.score), (size, 100), "records and score")
    return took * 1e3


def _sample(services: Services) -> float:
    with undisturbed():
        began = time.process_time()
        found = rows_of(services.store, full=False)
        took = time.process_time() - began
    expect(found.damaged, 0, "damaged rows")
    return took * 1e3
