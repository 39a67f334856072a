"""The report, in CPU time, at sizes a decade apart: what it is told, and the whole page.

Each size is compared with the smallest in the same rounds, for no part of it reads more in a larger
store. A row has a deadline, so that the counts of what ends when reach their bounds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.benchmarks.data import item
from tests.benchmarks.harness import Row, chunks, compared, expect, undisturbed
from tests.benchmarks.stores import BATCH

NOISE = 1.25
ROUNDS = 15
AGENTS = 50
KINDS = ("decision", "fact", "pattern", "outcome")
DAY_MS = 86_400_000


def rows(folder: Path, sizes: Sequence[int]) -> Iterator[Row]:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        stores = []
        for size in sizes:
            settings = Settings(archive_url=str(folder / f"archive-{size}"))
            url = f"sqlite:///{folder}/{size}.db"
            services = stack.enter_context(open_services(url, settings=settings))
            _fill(services, size)
            services.write_report(str(folder / "first.html"))  # loads what draws
            stores.append((size, services))
        told: dict[int, list[float]] = {size: [] for size in sizes}
        pages: dict[int, list[float]] = {size: [] for size in sizes}
        for turn in range(ROUNDS):
            for size, services in stores if turn % 2 else reversed(stores):
                told[size].append(_told(services, size))
                pages[size].append(_page(services, folder / f"{size}.html"))
    small = sizes[0]
    against = f"memtend at {small:,} records"
    for size in sizes[1:]:
        for name, found in (("report, what it is told", told), ("report, the whole page", pages)):
            yield compared(name, size, "ms", found[size], against, found[small], NOISE, "lower")


def _fill(services: Services, size: int) -> None:
    labels = [Labels(kind=KINDS[n % 4], agent=f"agent-{n}") for n in range(AGENTS)]
    for chunk in chunks(range(size), BATCH):
        made = [(n, item(n)) for n in chunk]
        services.memory.put_many(
            Put(*one[:3], labels[n % AGENTS], ttl_ms=(n % 60) * DAY_MS) for n, one in made
        )


def _told(services: Services, size: int) -> float:
    with undisturbed():
        began = time.process_time()
        facts = services.report_facts()
        took = time.process_time() - began
    expect((facts.records, facts.kinds.of, facts.unread), (size, size, ()), "records")
    return took * 1e3


def _page(services: Services, place: Path) -> float:
    with undisturbed():
        began = time.process_time()
        written = services.write_report(str(place))
        took = time.process_time() - began
    expect(written.bytes, place.stat().st_size, "bytes")
    return took * 1e3
