"""Chains of backups on each engine: whatever happened to the store, they give it back exactly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings

from memtend.backup.layers import segments_of
from memtend.backup.report import BackupReport
from memtend.clock import ManualClock
from memtend.codec.segment import Table
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.changing import (
    HISTORIES,
    KINDS,
    Step,
    act_all,
    check_against_store,
    state_of,
)
from tests.fixtures.postgres import PostgresServer

EVERYTHING = [[(n, key) for key in "kl"] for n in (0, 1, 2, 4, 8, 9, 2, 11, 3, 10, 5, 6, 12, 7)]
"""Every way to change a store, one a backup."""


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several segments out of few rows, and deltas of more than one."""
    for cutting in ("cut.cut", "synthetic.splice"):
        small = {"target": 1_500, "cap": 9_000}
        monkeypatch.setattr(f"memtend.backup.{cutting}.__kwdefaults__", small)
    monkeypatch.setattr("memtend.backup.cut.cut_delta.__kwdefaults__", {"target": 700})


@contextmanager
def opened(url: str, clock: ManualClock, **given: object) -> Iterator[Services]:
    chosen = Settings(**given)  # type: ignore[arg-type]
    with open_services(url, settings=chosen, clock=clock) as services:
        yield services


def take_all(
    services: Services, clock: ManualClock, target: Path, history: list[list[Step]]
) -> list[BackupReport]:
    """A backup after each part of the history, compared with the store at once."""
    reports = []
    for steps in history:
        act_all(services, clock, steps)
        clock.advance(1_000)
        report = services.take_backup(str(target), root=True)
        check_against_store(services, report, clock)
        reports.append(report)
    return reports


def test_every_kind_of_change_is_in_the_next_increment(
    lasting_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtend.backup.kinds.CHAIN_DELTA_SHARE_MAX", 1_000)
    clock = ManualClock()
    with opened(lasting_url, clock) as services:
        reports = take_all(services, clock, tmp_path / "b", EVERYTHING)
        assert [one.kind for one in reports] == ["full"] + ["incremental"] * (len(reports) - 1)
        assert [one.depth for one in reports] == list(range(len(reports)))
        # Every backup still gives what it gave: none has been changed by those after it.
        assert services.verify_backup(str(tmp_path / "b")).ok
        newest = reports[-1]
        nothing_new = services.take_backup(str(tmp_path / "b"))
        assert (nothing_new.rows, nothing_new.log_rows) == (0, 0)
        assert nothing_new.state_sum == newest.state_sum


@pytest.mark.parametrize("share", [0.0, 0.3, 1_000.0])
def test_chains_of_any_shape(share: float, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Synthetic fulls after each increment, now and then, never; and differentials."""

    @settings(max_examples=15, deadline=None)
    @given(HISTORIES)
    def law(history: list[list[Step]]) -> None:
        folder, clock = tmp_path_factory.mktemp("chains"), ManualClock()
        with (
            pytest.MonkeyPatch.context() as patch,
            opened(f"sqlite:///{folder}/store.db", clock) as services,
        ):
            patch.setattr("memtend.backup.kinds.CHAIN_DELTA_SHARE_MAX", share)
            patch.setattr("memtend.backup.kinds.CHAIN_INCREMENTS_MAX", 2)
            act_all(services, clock, [(4, "k"), (0, "k"), (2, "k"), (9, "l")])
            reports = take_all(services, clock, folder / "b", [[], *history])
            assert services.verify_backup(str(folder / "b")).ok
            assert max(one.depth for one in reports) <= 2
        shutil.rmtree(folder)

    law()


def test_a_synthetic_full_is_what_a_full_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Segment for segment, in another target."""
    monkeypatch.setattr("memtend.backup.kinds.CHAIN_DELTA_SHARE_MAX", 0.0)
    clock, kinds = ManualClock(), []
    with opened(f"sqlite:///{tmp_path}/store.db", clock) as services:
        for number, steps in enumerate(EVERYTHING):
            act_all(services, clock, steps)
            made = services.take_backup(str(tmp_path / "b"))
            kinds.append(made.kind)
            if made.kind == "synthetic full":
                full = services.take_backup(str(tmp_path / f"full-{number}"))
                assert (full.kind, full.root) == ("full", made.root)
                for table in (Table.SIBLING, Table.LOG, Table.SIDE):
                    one, other = (
                        segments_of(state_of(each, clock).manifest, table) for each in (made, full)
                    )
                    assert one == other
    assert kinds.count("synthetic full") > 4


def test_the_same_history_gives_the_same_segments_on_both_engines(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """And a chain begun on either is the other's state: neither knows which engine it was."""
    found: list[tuple[object, object, object]] = []
    with postgres_server.database() as postgres_url:
        for url in (f"sqlite:///{tmp_path}/store.db", postgres_url):
            clock, target = ManualClock(seed=5), tmp_path / f"backups-{len(found)}"
            with opened(url, clock) as services:
                reports = take_all(services, clock, target, EVERYTHING)
                states = [state_of(one, clock) for one in reports]
                names = [
                    [ref.object for t in (Table.SIBLING, Table.LOG) for ref in segments_of(m, t)]
                    for m in (one.manifest for one in states)
                ]
                content = [(list(one.rows()), list(one.log())) for one in states]
                shape = [(one.kind, one.root, one.state_sum) for one in reports]
                found.append((shape, content, names))
    of_sqlite, of_postgres = found
    for one, other in zip(of_sqlite, of_postgres, strict=True):
        assert one == other


def test_every_way_to_change_a_store_is_tried() -> None:
    assert {step % KINDS for steps in EVERYTHING for step, _ in steps} == set(range(KINDS))
