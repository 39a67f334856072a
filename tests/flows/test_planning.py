"""Plans that several processes make: what is shown, pinned and applied is what one would say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memtend.archive.plan import ArchiveFrame, ArchivePart
from memtend.drafting import Put
from memtend.errors import StoreDamaged
from memtend.memory import Memory
from memtend.model.plan import Plan, PlanRef
from memtend.model.record import Labels
from memtend.services import Services
from memtend_flows.archive import archive
from memtend_flows.planning import plan_together
from memtend_flows.prune import prune
from memtend_tasks import parts
from memtend_tasks.archive import begin_archive_plan, make_archive_plan
from memtend_tasks.errors import AddressUnknown, WorkersUnusable
from memtend_tasks.migrate import begin_migration_plan, make_migration_plan
from memtend_tasks.parts import look_at_shard
from memtend_tasks.plans import find_plan, read_plan
from tests.fixtures.aging import item
from tests.flows.answering import digest
from tests.flows.scratch import Scratch, records, repeat

TEXT = {"text": " ".join(str(n * 7_919 % 9_973) for n in range(3_000))}


@pytest.fixture
def large(scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """As if its few records were many: worth a shard each."""
    monkeypatch.setattr(parts, "SHARD_ROWS_MIN", 1)
    place = Scratch(str(tmp_path / "large.db"), scratch.target)
    repeat(place.store, 5)
    return place


def said(ref: PlanRef) -> dict[str, Any]:
    """What a plan says, but for when it was made."""
    return read_plan(ref).model_dump(exclude={"made_at"})


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*-part-*")]


def test_processes_plan_a_prune_like_one(large: Scratch, tmp_path: Path) -> None:
    """The digest on the page of a shared plan is applied by a run that shares nothing."""
    before = records(large.store)
    assert prune(large.store).planned == 4
    alone = digest(large, "prune")
    assert prune(large.store, workers=1).planned == 4
    together = digest(large, "prune")
    assert together != alone  # it was made later
    one, other = (said(find_plan(large.store, "prune", one)) for one in (alone, together))
    assert one == other
    assert left(tmp_path / "plans") == []
    assert prune(large.store, reviewed=together, dry_run=False).deleted == 4
    assert records(large.store) == before - 4


@pytest.mark.parametrize(
    ("begin", "make"),
    [
        (
            lambda store: begin_archive_plan(store, "default", 2),
            lambda store: make_archive_plan(store, "default"),
        ),
        (lambda store: begin_migration_plan(store, "", 2), lambda s: make_migration_plan(s, "")),
    ],
    ids=["archive", "migrate"],
)
def test_so_they_plan_an_archive_run_and_a_migration(
    large: Scratch, begin: Callable[[str], parts.Cut], make: Callable[[str], PlanRef]
) -> None:
    with Memory.open(large.store) as memory:
        labels = Labels(kind="pattern")
        puts = [Put("a/patterns", f"p{n}", item(n), labels, created_ms=1) for n in (1, 2)]
        puts += [Put(f"a/{n}", "large", TEXT, ttl_ms=0, created_ms=1) for n in range(3)]
        memory.put_many(puts)
    cut = begin(large.store)
    assert cut.shards > 1
    joined = said(plan_together(large.store, cut, 0))
    assert joined["decisions"]
    assert joined == said(make(large.store))


def test_nobody_is_started_for_a_small_store(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where nobody could be."""
    monkeypatch.setenv("MEMTEND_DASK_ADDRESS", "tcp://127.0.0.1:9")
    assert prune(scratch.store, workers=8).planned == 0


@pytest.mark.parametrize("workers", [0, 2])
def test_an_archive_that_nobody_knows_is_told_in_the_preview(
    scratch: Scratch, workers: int
) -> None:
    for flow in (archive, prune):
        with pytest.raises(AddressUnknown, match="nowhere"):
            flow(scratch.store, "nowhere", workers=workers)


def test_a_worker_that_knows_another_store_is_refused(
    large: Scratch, scratch: Scratch, impatient: None
) -> None:
    cut = begin_archive_plan(large.store, "default", 2)
    with pytest.raises(WorkersUnusable, match="another store by this name"):
        look_at_shard(scratch.store, cut, 0)
    assert isinstance(read_plan(plan_together(large.store, cut, 0)), Plan)


def test_nothing_is_left_of_a_plan_that_one_shard_was_not_looked_at_for(
    large: Scratch, tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every failed run would leave what it had found in the folder of plans."""
    cut = begin_archive_plan(large.store, "default", 2)
    look = Services.look_archive

    def torn(services: Services, frame: ArchiveFrame, shard: int) -> ArchivePart:
        if shard:
            raise StoreDamaged(url=large.store, why="a page cannot be read")
        assert left(tmp_path / "plans") != []
        return look(services, frame, shard)

    monkeypatch.setattr(Services, "look_archive", torn)
    with pytest.raises(StoreDamaged):
        plan_together(large.store, cut, 0)
    assert left(tmp_path / "plans") == []
