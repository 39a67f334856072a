"""What several processes gain on one machine: wide runs on Dask, and two workers of a pool.

    python -m tests.benchmarks.scale --records 200000 --teams 4

Everything that `docs/howto/scale.md` puts together runs here: a PostgreSQL server that fsyncs,
Prefect's server on it, stores on it, a process pool with workers. It prints the tables of that
page. What several processes say must be what one says, or it ends with an error.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.error import URLError
from urllib.request import urlopen

import psycopg

from memtend.limits import SERVER_START_S_MAX
from memtend.memory import Memory
from memtend_flows.home import prefect_environment
from tests.benchmarks.data import item
from tests.benchmarks.harness import chunks, expect
from tests.benchmarks.postgres import DURABLE
from tests.benchmarks.stores import BATCH, puts
from tests.fixtures import postgres as fixture

PORT = 4310
NAMESPACES = 97


class Place(NamedTuple):
    """Two servers, the database of Prefect's, and a folder."""

    server: fixture.PostgresServer
    prefect: str
    folder: Path
    environment: dict[str, str]


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """PostgreSQL that syncs, and Prefect's server on it."""
    binaries = fixture.find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL's binaries were not found: pip install -e '.[bench]'")
    with (
        patch.dict(fixture.QUICK, DURABLE),
        fixture.running_cluster(binaries) as server,
        server.database() as prefect,
    ):
        url = f"http://127.0.0.1:{PORT}"
        environment = prefect_environment(folder / "prefect", os.environ) | {
            "PREFECT_API_URL": f"{url}/api",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": prefect.replace("://", "+asyncpg://"),
            "MEMTEND_PLANS_URL": str(folder / "plans"),
            "MEMTEND_MODELS_URL": str(folder / "models"),
            "MEMTEND_REPORT_URL": str(folder / "reports"),
            "MEMTEND_ARCHIVE_URL": str(folder / "archive"),
        }
        command = ("prefect", "server", "start", "--port", str(PORT))
        with program(command, environment, folder):
            wait_until(lambda: answers(f"{url}/api/health"))
            yield Place(server, prefect, folder, environment)


@contextmanager
def program(
    command: Sequence[str], environment: dict[str, str], folder: Path
) -> Iterator[Popen[bytes]]:
    """A module run as a program in `folder`, and ended on the way out."""
    line = (sys.executable, "-m", *command)
    with (folder / "log").open("ab") as log:
        process = Popen(line, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SERVER_START_S_MAX)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except (URLError, OSError):
        return False


def wait_until(look: Callable[[], bool], seconds: float = SERVER_START_S_MAX) -> None:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise SystemExit("what was waited for did not come; see the log")
        time.sleep(0.2)


def fill(url: str, records: int) -> None:
    """As in the other benchmarks, in namespaces enough to be shared."""
    with Memory.open(url) as memory:
        for numbers in chunks(range(records), BATCH):
            items = [item(n)._replace(namespace=f"bench/{n % NAMESPACES:02}") for n in numbers]
            memory.put_many(puts(items))


def wide(where: Place, records: int) -> Iterator[tuple[str, ...]]:
    """Rows of the table of wide runs. Prefect is imported when its server is known."""
    from memtend_flows.prune import prune  # noqa: PLC0415
    from memtend_flows.verify import verify  # noqa: PLC0415
    from tests.fixtures.verifying import timeless  # noqa: PLC0415

    for engine in ("PostgreSQL", "SQLite"):
        with where.server.database() as database:
            store = database if engine == "PostgreSQL" else str(where.folder / "wide.db")
            fill(store, records)
            size = bytes_of(database) if engine == "PostgreSQL" else os.path.getsize(store)
            print(f"{engine}: {size / records:,.0f} bytes a record", file=sys.stderr)
            for flow in (verify, prune):
                told = []
                for workers in (0, 1, 2):
                    took, report = timed(lambda: flow(store, workers=workers))  # noqa: B023
                    told.append(timeless(report) if flow is verify else report)
                    expect(told[-1], told[0], flow.name)
                    yield (flow.name, engine, f"{records:,}", str(workers), f"{took:.1f}",
                           f"{records / took:,.0f}")  # fmt: skip


def bytes_of(database: str) -> int:
    with psycopg.connect(database) as connection:
        [(size,)] = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(size)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def show(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    """A table, line by line as it is measured."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    from tests.benchmarks import scale_pool  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--teams", type=int, default=4)
    parser.add_argument("--only", choices=("wide", "pool"))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memtend-scale-") as name, place(Path(name)) as where:
        os.environ.update(where.environment)
        os.chdir(name)
        if chosen.only != "pool":
            wide_head = ("flow", "store on", "records", "workers", "seconds", "records/s")
            show(wide_head, wide(where, chosen.records))
        if chosen.only != "wide":
            pool_head = ("workers", "runs", "seconds", "runs/minute", "of Prefect's database")
            show(pool_head, scale_pool.rows(where, chosen.teams))


if __name__ == "__main__":
    main()
