"""Runs shared among processes of a Dask cluster: what they say and leave is what one would."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster

from memtend.errors import NotWhole
from memtend.model.learned import ModelEntry
from memtend.services import open_services
from memtend_flows.decorator import memory_flow
from memtend_flows.learn import learn
from memtend_flows.parameters import TuneTtl
from memtend_flows.verify import verify
from memtend_flows.wide import wide
from memtend_tasks.address import to_address
from memtend_tasks.decorator import memory_task
from memtend_tasks.errors import WorkersUnusable
from tests.fixtures.lessons import remember
from tests.fixtures.verifying import timeless
from tests.flows.scratch import DEAD, LIVE, Scratch, fill
from tests.flows.seen import pages, task_attempts


@pytest.fixture(scope="module")
def cluster(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two processes that outlive a run, with settings of their own as on another machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("workers"))
        patch.setenv("MEMTEND_STORE_URL", "theirs.db")
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as made:
            yield str(made.scheduler_address)


@pytest.fixture
def shared(scratch: Scratch, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs use that cluster, and keep models where its processes do."""
    monkeypatch.setenv("MEMTEND_DASK_ADDRESS", cluster)
    monkeypatch.delenv("MEMTEND_MODELS_URL")


@memory_task
def who(mark: str) -> int:
    """The process that does it. Where `mark` is not there yet, it dies before it can say so."""
    if mark and not os.path.exists(mark):
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


@memory_flow
def ask(store: str, workers: int, mark: str = "") -> list[int]:
    """Who works."""
    with wide(workers) as crew:
        return crew.submit(who, [{"mark": mark}, {"mark": mark}]).results()


def test_processes_of_its_own_end_with_the_run(scratch: Scratch, tmp_path: Path) -> None:
    """And one that dies on the way is replaced, and its piece begun again."""
    assert ask(scratch.store, 0) == [os.getpid()] * 2
    [one, other] = ask(scratch.store, 1, str(tmp_path / "died"))
    assert one == other != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(one, 0)


def test_two_processes_verify_like_one(
    scratch: Scratch, shared: None, postgres_url: str, tmp_path: Path
) -> None:
    fill(postgres_url)
    for store in (scratch.store, postgres_url):
        label = to_address(store).label
        report = verify(store, workers=2)
        assert report.rows == LIVE + DEAD
        assert timeless(report) == timeless(verify(store))
        [one, several] = pages(f"verify-report-{label}")
        assert one.splitlines()[:4] == several.splitlines()[:4]
        assert task_attempts("verify shard", store) == 1


def test_damage_is_named_by_whoever_sees_it(scratch: Scratch, shared: None) -> None:
    with sqlite3.connect(scratch.store) as connection:
        connection.execute("UPDATE sibling SET kind = 'x' WHERE key IN ('k1', 'd1')")
    connection.close()
    label = to_address(scratch.store).label
    for workers in (0, 2):
        with pytest.raises(NotWhole):
            verify(scratch.store, workers=workers)
    [several, one] = pages(f"verify-report-{label}")
    assert "column kind" in one
    assert table_of(several) == table_of(one)


def table_of(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| sibling")]


def test_scenarios_are_learned_by_several_as_by_one(
    scratch: Scratch, shared: None, tmp_path: Path
) -> None:
    """The same models, byte by byte, from the same seed."""
    made = []
    for name, workers in (("one.db", 0), ("two.db", 2)):
        store = str(tmp_path / name)
        remember(store, 220, clear=True)
        done = learn(store, "all", tune_ttl=TuneTtl.OFF, seed=3, workers=workers)
        assert done.fitted == done.scenarios > 1
        with open_services(store) as services:
            made.append({one.scenario: facts(one) for one in services.models()})
    assert made[0] == made[1]


def facts(model: ModelEntry) -> list[object]:
    files = [file.sha256 for file in model.files if not file.name.endswith(".json")]
    return [model.rows, model.status, model.why, files]


def test_a_worker_for_which_default_is_another_store_is_refused(
    scratch: Scratch, shared: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMTEND_STORE_URL", scratch.store)
    fill("theirs.db")
    with pytest.raises(WorkersUnusable, match="another store"):
        verify("default", workers=2)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://127.0.0.1:9", "Timed out"),
        ("tls://127.0.0.1:9", "TLS"),
        ("http://127.0.0.1:9", "scheme 'http'"),
        ("tend.internal", "missing port"),
    ],
    ids=["nobody hears", "without certificates", "of something else", "without a port"],
)
def test_a_scheduler_that_cannot_be_used_is_said(
    prefect: None, monkeypatch: pytest.MonkeyPatch, address: str, why: str
) -> None:
    monkeypatch.setenv("MEMTEND_DASK_ADDRESS", address)
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "100ms"}),
        pytest.raises(WorkersUnusable, match=why),
        wide(2),
    ):
        pytest.fail("somebody is there")
