"""Requests that go wrong: eight faults of four verbs before a real S3, half now and then and half
always; with `--every-fault` all of them both ways.

Whatever happens, every byte that is believed is right, what was there before stays whole, nothing
is there twice that matters, and when the line is good again the backup goes through.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from memtend.backup import Asked, BackupReport, Repository, take, verify_repository
from memtend.backup.layers import open_state
from memtend.clock import ManualClock
from memtend.errors import MemtendError
from memtend.limits import REPOSITORY_LEASE_MS, REPOSITORY_SKEW_MS
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import MadeSnapshot, check_row, made_snapshot, row
from tests.fixtures.faulty import FAULTS, VERBS, Faults, faulty_proxy
from tests.fixtures.s3 import S3Server

OLD = made_snapshot(10, seed=1)
NEW = OLD._replace(
    stored=tuple(sorted((*OLD.stored, row("zz", "new", b"value", seq=2_000, n=2_000)))),
    facts=OLD.facts._replace(seq=2_000),
)
QUICK = {"connect_timeout": 2, "read_timeout": 0.4, "retries": {"total_max_attempts": 1}}
NOW_AND_THEN = frozenset({1, 4, 7})
COLOURS = {"test_a_fault_now_and_then": 0, "test_a_fault_that_stays": 1}
PASSING = ("timeout", "500", "503", "torn", "lost response", "slow")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every other pair of a fault and a verb, or with `--every-fault` all of them, both ways."""
    colour = COLOURS.get(metafunc.function.__name__)
    if colour is not None:
        every = metafunc.config.getoption("--every-fault", False)
        pairs = [(f, v) for f in range(len(FAULTS)) for v in range(len(VERBS))]
        chosen = [(FAULTS[f], VERBS[v]) for f, v in pairs if every or (f + v) % 2 == colour]
        metafunc.parametrize(("fault", "verb"), chosen)


class Line(NamedTuple):
    """The same target seen through the proxy and directly."""

    faulty: ObjectStore
    direct: ObjectStore
    faults: Faults
    clock: ManualClock

    def take(self, snapshot: MadeSnapshot, store: ObjectStore) -> BackupReport:
        return take(snapshot, store, self.clock, check_row=check_row, asked=Asked())

    def check(self, manifests: set[str]) -> None:
        """These backups and no others are there, and whole."""
        report = verify_repository(self.direct, self.clock, check_row=check_row, deep=True)
        assert report.ok, report.findings
        assert set(report.whole) == manifests


@pytest.fixture(scope="module")
def proxy(s3_server: S3Server) -> Iterator[tuple[str, Faults]]:
    with faulty_proxy(s3_server.endpoint) as found:
        yield found


@pytest.fixture
def line(proxy: tuple[str, Faults], s3_url: str) -> Line:
    endpoint, faults = proxy
    faults.clear()
    clock = ManualClock()
    options = {"endpoint_url": endpoint, "config_kwargs": QUICK}
    faulty = open_target(s3_url, clock, options=options, sleep=lambda _: None)
    return Line(faulty, open_target(s3_url, clock), faults, clock)


def test_a_fault_now_and_then(line: Line, fault: str, verb: str) -> None:
    """What passes by itself is tried again; the rest is told, and nothing is believed of it."""
    old = line.take(OLD, line.direct).manifest
    line.faults.set(verb, fault, NOW_AND_THEN)
    there = {old}
    try:
        there.add(line.take(NEW, line.faulty).manifest)
    except MemtendError:
        assert fault not in PASSING
    assert line.faults.hit > 0
    line.check(there)
    finish(line, there)


def test_a_fault_that_stays(line: Line, fault: str, verb: str) -> None:
    """The backup fails with an error that says so, or goes through in spite of it."""
    old = line.take(OLD, line.direct).manifest
    line.faults.set(verb, fault)
    there = {old}
    code = None
    try:
        there.add(line.take(NEW, line.faulty).manifest)
    except MemtendError as error:
        code = error.code
    assert code is None or 50 <= code < 60
    assert line.faults.hit > 0
    committed = {info.name for info in line.direct.list("manifests/")}
    assert there <= committed
    # An answer may have been lost after the manifest was there: then it is whole, and no harm.
    assert len(committed) <= 2
    line.check(committed)
    finish(line, committed)


def finish(line: Line, there: set[str]) -> None:
    """The line is good again: the next backup gives the state, through leases left behind."""
    line.faults.clear()
    line.clock.advance(REPOSITORY_LEASE_MS + REPOSITORY_SKEW_MS)
    report = line.take(NEW, line.faulty)
    line.check({*there, report.manifest})
    state = open_state(Repository.open(line.faulty), report.manifest, check_row=check_row)
    assert tuple(state.rows()) == NEW.stored
    assert tuple(state.log()) == NEW.logged
    assert list(line.direct.list("leases/")) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_reading_gives_the_right_rows_or_an_error(line: Line, fault: str) -> None:
    report = line.take(NEW, line.direct)
    for numbers in (NOW_AND_THEN, frozenset[int]()):
        line.faults.set("GET", fault, numbers)
        try:
            repository = Repository.open(line.faulty)
            state = open_state(repository, report.manifest, check_row=check_row)
            assert tuple(state.rows()) == NEW.stored
        except MemtendError:
            assert fault not in PASSING or not numbers
        assert line.faults.hit > 0
