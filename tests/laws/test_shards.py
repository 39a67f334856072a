"""Whatever is in a store, on whichever engine, and however it is cut: plans made shard by shard are
the plan of one process, and the guard says the same of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.model.frame import Part
from memtend.model.policyfile import PolicyFile
from memtend.model.record import Labels
from memtend.services import Services, open_services
from tests.fixtures.aging import NOW_MS, VERSIONS, item, settings_in
from tests.fixtures.archives import archive_everything
from tests.fixtures.postgres import PostgresServer

DAY_MS: Final = 24 * 3_600_000
NAMESPACES: Final = ("agent/ada/notes", "a", "a/b", "swarm-1/global/coordination", "z/z")
KINDS: Final = ("pattern", "decision", "solution", "note")
SHARES: Final = st.sampled_from([0.1, 0.5, 0.79, 0.9])
COUNTS: Final = st.none() | st.integers(0, 9)
TEXTS: Final = st.integers(0, 5).map(lambda n: {"said": f"the build is slow on Mondays {n} " * 12})
ITEMS: Final = st.tuples(st.integers(0, 40), st.sampled_from(VERSIONS))
LABELS: Final = st.builds(
    Labels, kind=st.sampled_from(KINDS), agent=st.sampled_from([None, "ada", "bob"]),
    importance=SHARES, confidence=st.none() | SHARES, success_count=COUNTS, failure_count=COUNTS,
    pinned=st.sampled_from([False, False, False, True]),
)  # fmt: skip


P = TypeVar("P", bound=Part)


class Written(NamedTuple):
    namespace: str
    labels: Labels
    said: Any
    """A value, or the number and the version of an item of its kind."""
    days_before: int
    reads: int
    ends: bool
    beside: bool


WRITTEN: Final = st.builds(
    Written, st.sampled_from(NAMESPACES), LABELS, TEXTS | ITEMS, st.sampled_from([0, 40, 400]),
    st.integers(0, 6), st.booleans(), st.sampled_from([False, False, False, True]),
)  # fmt: skip
RULES: Final = st.fixed_dictionaries({
    "settle_ms": st.sampled_from([0, DAY_MS]),
    "store_bytes": st.none() | st.integers(200, 8_000),
    "agent_bytes": st.none() | st.integers(200, 4_000),
    "near_duplicates_from": st.sampled_from([None, None, 0.8]),
    "value_below": st.none() | SHARES,
    "low_water": st.sampled_from([0.3, 0.9]),
})  # fmt: skip


class Scene(NamedTuple):
    records: list[Written]
    rules: dict[str, Any]
    archived: bool
    shards_max: list[int]


SCENES: Final = st.builds(
    Scene, st.lists(WRITTEN, max_size=30), RULES, st.booleans(),
    st.lists(st.integers(2, 7), min_size=1, max_size=2, unique=True),
)  # fmt: skip


def fill(services: Services, scene: Scene, clock: ManualClock) -> None:
    """The oldest first; half of what is old is archived, if so wished."""
    memory = services.memory
    rules = {name: value for name, value in scene.rules.items() if value is not None}
    memory.config.set_policies(PolicyFile(pruning=rules), "a test")
    for days in (400, 40, 0):
        now = [(n, one) for n, one in enumerate(scene.records) if one.days_before == days]
        memory.put_many([_put(number, one) for number, one in now])
        beside = [_put(number, one) for number, one in now if one.beside]
        memory.put_many([one._replace(value="beside", ctx={}) for one in beside])
        if days == 400 and scene.archived:
            archive_everything(services)
        clock.advance(40 * DAY_MS)
    for number, one in enumerate(scene.records):
        for _ in range(one.reads):
            memory.get(one.namespace, f"k{number}")


def _put(number: int, one: Written) -> Put:
    kind, said = one.labels.kind, one.said
    of = kind if kind in KINDS[:3] else "pattern"
    value = item(said[0], said[1], of) if isinstance(said, tuple) else said
    ttl_ms = 200 * DAY_MS if one.ends else 0
    return Put(one.namespace, f"k{number}", value, one.labels, ttl_ms)


def travelled(model: Any) -> Any:
    """As it comes from another process."""
    return type(model).model_validate_json(model.model_dump_json())


def parts_of(frame: Any, look: Callable[[Any, int], P]) -> list[P]:
    return [travelled(look(travelled(frame), shard)) for shard in range(len(frame.shards))]


def check(services: Services, shards_max: int) -> None:
    prune = services.begin_prune(shards_max=shards_max)
    one = services.plan_prune()
    joined = services.join_prune(prune, parts_of(prune, services.look_prune))
    assert joined.model_dump_json() == one.model_dump_json()
    assert services.prune_excess(joined) == services.prune_excess(one)
    archive = services.begin_archive(shards_max=shards_max)
    cold = services.join_archive(archive, parts_of(archive, services.look_archive))
    assert cold.model_dump_json() == services.plan_archive().model_dump_json()
    migration = services.begin_migration(shards_max=shards_max)
    parts = parts_of(migration, services.look_migration)
    moved = services.join_migration(migration, parts)
    assert moved.digest == services.plan_migration().digest


@contextmanager
def fresh(url: str, folder: Path, scene: Scene) -> Iterator[Services]:
    clock = ManualClock(NOW_MS - 450 * DAY_MS)
    with open_services(url, settings=settings_in(folder), clock=clock) as services:
        fill(services, scene, clock)
        yield services


@settings(max_examples=15, deadline=None)
@given(SCENES)
def test_plans_in_shards_on_sqlite(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> None:
    with fresh("sqlite://", tmp_path_factory.mktemp("law"), scene) as services:
        for shards_max in scene.shards_max:
            check(services, shards_max)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(SCENES)
def test_plans_in_shards_on_postgresql(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, scene: Scene
) -> None:
    with (
        postgres_server.database() as url,
        fresh(url, tmp_path_factory.mktemp("law"), scene) as services,
    ):
        for shards_max in scene.shards_max:
            check(services, shards_max)
