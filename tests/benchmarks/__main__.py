"""`python -m tests.benchmarks`: measure, write `benchmarks.json`, render `docs/benchmarks.md`.

--only store,startup        only these modules; rows of the others stay
--sizes 10000,100000        numbers of records for the modules that have sizes
--render-only               write the page from the figures that are there
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from tests.benchmarks import results
from tests.benchmarks.harness import Row
from tests.benchmarks.machine import machine
from tests.benchmarks.render import page

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"
LEARNING = ("learning_selection", "learning_bandit", "learning_fit", "learning_ttl")
MODULES = ("store", "growth", "sweep", "long", "writers", "slowdisk", "postgres", "startup",
           "backups", "increments", "archive", "sync", "leases", "messages", "imports",
           "migrations", "accesses", "metrics", "health", "prune", "optimize",
           "report", "flows", *LEARNING)  # fmt: skip
SIZES = (10_000, 100_000)


def run(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    """All rows, as they are measured. Modules are imported when it is their turn."""
    # Before this process is large: forking it for a child would show in the child's CPU time.
    if "startup" in only:
        from tests.benchmarks import startup  # noqa: PLC0415

        yield from (("startup", row) for row in startup.rows(folder / "startup"))
    if "store" in only or "growth" in only:
        yield from _sized(only, sizes, folder)
    if "sweep" in only:
        from tests.benchmarks import sweep  # noqa: PLC0415

        for size in sizes:
            yield from (("sweep", row) for row in sweep.rows(folder / f"sweep-{size}", size))
    if "postgres" in only:
        from tests.benchmarks import postgres  # noqa: PLC0415

        yield from (("postgres", row) for row in postgres.rows())
    if "backups" in only or "increments" in only:
        from tests.benchmarks import backups  # noqa: PLC0415

        if "backups" in only:
            yield from (("backups", row) for row in backups.rows(folder / "backups"))
        if "increments" in only:
            found = backups.growth(folder / "increments", [*sizes, 10 * sizes[-1]])
            yield from (("increments", row) for row in found)
    if "archive" in only:
        from tests.benchmarks import archive  # noqa: PLC0415

        for size in sizes:
            yield from (("archive", row) for row in archive.rows(folder / f"archive-{size}", size))
    yield from _metrics(only, sizes, folder)
    yield from _optimize(only, sizes, folder)
    yield from _migrations(only, sizes, folder)
    yield from _sync(only, sizes, folder)
    yield from _learning(only, folder)
    from tests.benchmarks import imports, leases, long, messages, slowdisk, writers  # noqa: PLC0415

    for module in (long, writers, slowdisk, leases, messages, imports):
        name = module.__name__.rpartition(".")[2]
        if name in only:
            yield from ((name, row) for row in module.rows(folder / name))


def _metrics(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    if "metrics" in only:
        from tests.benchmarks import metrics  # noqa: PLC0415

        yield from (("metrics", row) for row in metrics.rows(folder / "metrics", sizes))
    if "accesses" in only:
        from tests.benchmarks import accesses  # noqa: PLC0415

        yield from (("accesses", row) for row in accesses.rows(folder / "accesses"))
    if "health" in only:
        from tests.benchmarks import health  # noqa: PLC0415

        found = health.rows(folder / "health", [*sizes, 10 * sizes[-1]])
        yield from (("health", row) for row in found)
    if "prune" in only:
        from tests.benchmarks import prune  # noqa: PLC0415

        yield from (("prune", row) for row in prune.rows(folder / "prune"))


def _learning(only: list[str], folder: Path) -> Iterator[tuple[str, Row]]:
    """Those that score practice data find them by `MEMTEND_LEARNING_DATA`, or have no rows."""
    for name in LEARNING:
        if name in only:
            module = import_module(f"tests.benchmarks.{name}")
            yield from ((name, row) for row in module.rows(folder / name))


def _optimize(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    if "optimize" in only:
        from tests.benchmarks import optimize  # noqa: PLC0415

        yield from (("optimize", row) for row in optimize.rows(folder / "optimize", sizes))
    if "flows" in only:
        from tests.benchmarks import flows  # noqa: PLC0415

        yield from (("flows", row) for row in flows.rows(folder / "flows", sizes))
    if "report" in only:
        from tests.benchmarks import report  # noqa: PLC0415

        yield from (("report", row) for row in report.rows(folder / "report", sizes))


def _migrations(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    from tests.benchmarks import migrations  # noqa: PLC0415

    for size in sizes if "migrations" in only else ():
        found = migrations.rows(folder / f"migrations-{size}", size)
        yield from (("migrations", row) for row in found)


def _sync(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    if "sync" not in only:
        return
    from tests.benchmarks import sync  # noqa: PLC0415

    found = sync.rows(folder / "sync", [*sizes, 10 * sizes[-1]])
    yield from (("sync", row) for row in found)


def _sized(only: list[str], sizes: list[int], folder: Path) -> Iterator[tuple[str, Row]]:
    """The stores of all sizes stay open together, so that growth can compare them."""
    from tests.benchmarks import growth, store, stores  # noqa: PLC0415

    with ExitStack() as stack:
        filled = []
        for size in sizes:
            filled.append(stack.enter_context(stores.filled(folder / f"store-{size}", size)))
            gc.freeze()  # what is loaded by now is not searched again in every round
            if "store" in only:
                yield from (("store", row) for row in store.rows(filled[-1]))
        if "growth" in only and len(filled) > 1:
            yield from (("growth", row) for row in growth.rows(filled[0], filled[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(MODULES))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--render-only", action="store_true")
    chosen = parser.parse_args()
    if not chosen.render_only:
        only, sizes = chosen.only.split(","), sorted(map(int, chosen.sizes.split(",")))
        if unknown := set(only) - set(MODULES):
            parser.error(f"unknown modules: {', '.join(sorted(unknown))}")
        _measure(only, sizes)
    PAGE.write_text(page(results.load(FIGURES)))
    print(f"{FIGURES.name} and {PAGE.relative_to(ROOT)} are written", file=sys.stderr)


def _measure(only: list[str], sizes: list[int]) -> None:
    """Figures are saved when a module is through: a run that is cut off keeps the others."""
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    with tempfile.TemporaryDirectory(prefix="memtend-benchmarks-") as folder:
        facts = machine(Path(folder))
        for module, found in groupby(run(only, sizes, Path(folder)), key=itemgetter(0)):
            rows = [_told(row) for _, row in found]
            total = results.load(FIGURES)._replace(machine=facts)
            results.save(total.replacing(module, day, rows), FIGURES)


def _told(row: Row) -> Row:
    met = {True: "met", False: "MISSED", None: ""}[row.met]
    figures = f"{row.ours:12,.1f} {row.unit:14} {row.ratio:8.3f} x {row.against}"
    print(f"{row.name:38} {row.size:9,} {figures} {met}", file=sys.stderr)
    return row


if __name__ == "__main__":
    main()
