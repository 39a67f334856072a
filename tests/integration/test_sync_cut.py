"""A sync cut off at every request to its place, and faults on the way to a real S3.

Whatever happens, what any head names is whole, nothing is believed that is not as it was written,
and once the line is good again everybody has everything.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import MemtendError
from memtend.objects import ObjectStore, open_target
from memtend.services import Services
from memtend.sync.place import Place
from memtend.sync.publishing import publish
from memtend.sync.pulling import Pull
from memtend.sync.saving import Guard
from tests.fixtures.backups import FailingStore, Fails
from tests.fixtures.faulty import FAULTS, Faults, faulty_proxy
from tests.fixtures.s3 import S3Server
from tests.fixtures.syncing import agree, everybody_syncs, party

QUICK = {"connect_timeout": 2, "read_timeout": 0.4, "retries": {"total_max_attempts": 1}}
GOES_WRONG = (
    ("PUT", frozenset({1, 3, 5})),
    ("LIST", frozenset({1, 3})),
    ("GET", frozenset[int]()),
)


def sync_through(one: Services, target: ObjectStore) -> None:
    """What `Services.sync` does with a place, through this target."""
    place = Place(target)
    guard = Guard(one.store, lambda: Path("never"))
    pulled = Pull(one.store, place, guard, "sync").run()
    publish(one.store, place, pulled.around, name="", label="test")


def check_whole(target: ObjectStore) -> None:
    """Every head can be read, and every page that one names."""
    place = Place(target)
    for replica, names in place.names().items():
        for name in names:
            head = place.read(name)
            for delta in head.deltas:
                assert list(place.pages(replica, delta.pages))


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_cut_off_at_every_request(
    tmp_path: Path, clock: ManualClock, late: bool, first: bool
) -> None:
    """Before a request or just after it, at the first push of a replica or at a later one."""
    with (
        party(f"sqlite:///{tmp_path}/a.db", clock, tmp_path) as a,
        party(f"sqlite:///{tmp_path}/b.db", clock, tmp_path) as b,
    ):
        ready = tmp_path / "ready"
        ready.mkdir()
        a.memory.put("n", "a", 1)
        a.sync(str(ready))
        if not first:
            b.sync(str(ready))
        cut = 0
        while True:
            cut += 1
            b.memory.put("n", "b", cut)
            a.memory.put("n", "a", cut)
            a.sync(str(ready))
            folder = tmp_path / f"cut{cut}"
            shutil.copytree(ready, folder)
            target = open_target(str(folder), clock)
            try:
                sync_through(b, FailingStore(target, cut, late=late))
            except Fails:
                check_whole(target)
            else:
                break
            everybody_syncs((b, a), str(folder))
            agree((a, b))
            check_whole(target)
        assert cut > 10


@pytest.fixture(scope="module")
def proxy(s3_server: S3Server) -> Iterator[tuple[str, Faults]]:
    with faulty_proxy(s3_server.endpoint) as found:
        yield found


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_on_the_way(
    pair: list[Services],
    proxy: tuple[str, Faults],
    s3_url: str,
    clock: ManualClock,
    fault: str,
) -> None:
    """Now and then while writing and listing, always while reading: it goes through or is told."""
    a, b = pair
    endpoint, faults = proxy
    options = {"endpoint_url": endpoint, "config_kwargs": QUICK}
    faulty = open_target(s3_url, clock, options=options, sleep=lambda _: None)
    direct = open_target(s3_url, clock)
    for number, (verb, numbers) in enumerate(GOES_WRONG, 1):
        a.memory.put("n", "k", number)
        b.memory.put("n", "b", number)
        faults.clear()
        sync_through(a, direct)
        faults.set(verb, fault, numbers)
        try:
            sync_through(b, faulty)
        except MemtendError as error:
            assert 50 <= error.code < 60  # noqa: PT017
        assert faults.hit
        check_whole(direct)
        assert b.memory.get("n", "k", 0) in range(number + 1)
    faults.clear()
    for one in (b, a, b):
        sync_through(one, faulty)
    agree(pair)
