"""Memory against a model: a dict, a clock and no database. Every history must agree."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import ConditionFailed, NotFound
from memtend.limits import SWEEP_MARGIN_MS, TOUCH_SHARE
from memtend.memory import Memory
from memtend.model.policy import Policy
from memtend.model.record import Labels
from memtend.store.expiry import drop_expired, expired
from memtend.store.verify import verify_store
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.stores import run_sql, set_policies

POLICY_TTL_MS = 1_000
PATHS = [(ns, key) for ns in ("keep/a", "session/a") for key in ("k", "k/1", "m")]
COUNTERS = [(ns, "n") for ns in ("keep/a", "session/a")]

paths = st.sampled_from(PATHS)
values = st.one_of(st.integers(-9, 9), st.text(max_size=5), st.just("long " * 400), st.none())
ttls = st.sampled_from([None, 0, 1, 500, 100_000])
tags = st.sampled_from([None, (), ("t",), ("t", "u")])


class Kept(NamedTuple):
    value: Any
    end: int | None
    tags: tuple[str, ...] = ()


class History(RuleBasedStateMachine):
    """What an agent may do to a store; `make_url` names a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.url = self.make_url()
        self.records: dict[tuple[str, str], Kept] = {}
        self.counters: dict[tuple[str, str], Kept] = {}
        self.memory = Memory.open(self.url, clock=self.clock)

    def make_url(self) -> str:
        return f"sqlite:///{Path(self.folder.name)}/store.db"

    @initialize()
    def policies(self) -> None:
        set_policies(self.memory, Policy(pattern="session/**", ttl_ms=POLICY_TTL_MS))

    def end_of(self, namespace: str, ttl_ms: int | None) -> int | None:
        if ttl_ms is None:
            ttl_ms = POLICY_TTL_MS if namespace.startswith("session/") else 0
        return self.clock.now_ms() + ttl_ms if ttl_ms else None

    def live(self, kept: Kept | None) -> Kept | None:
        return kept if kept and (kept.end is None or self.clock.now_ms() < kept.end) else None

    @rule(path=paths, value=values, ttl=ttls, tagged=tags)
    def put(self, path: tuple[str, str], value: Any, ttl: int | None, tagged: Any) -> None:
        labels = None if tagged is None else Labels(tags=tagged)
        self.memory.put(*path, value, ttl_ms=ttl, labels=labels)
        self.keep(path, value, ttl, tagged)

    def keep(self, path: tuple[str, str], value: Any, ttl: int | None, tagged: Any) -> None:
        before = self.live(self.records.get(path))
        if tagged is None:
            tagged = before.tags if before else ()
        self.records[path] = Kept(value, self.end_of(path[0], ttl), tagged)

    @rule(batch=st.lists(st.tuples(paths, values, ttls, tags), max_size=6))
    def put_many(self, batch: list[Any]) -> None:
        self.memory.put_many([
            Put(ns, key, value, None if tagged is None else Labels(tags=tagged), ttl)
            for (ns, key), value, ttl, tagged in batch
        ])  # fmt: skip
        for one in batch:
            self.keep(*one)

    @rule(path=paths)
    def delete(self, path: tuple[str, str]) -> None:
        assert self.memory.delete(*path) == bool(self.live(self.records.pop(path, None)))

    @rule(path=paths, value=values, right=st.booleans())
    def put_if(self, path: tuple[str, str], value: Any, right: bool) -> None:
        found = [record.dot for record in self.memory.siblings(*path)]
        expected = found if right else [*found, found[0]._replace(n=10**6)] if found else None
        if expected is None:
            return
        try:
            self.memory.put_if(*path, value, expected)
            assert right
        except ConditionFailed:
            assert not right
        else:
            self.keep(path, value, None, None)

    @rule(path=paths, ttl=ttls)
    def touch(self, path: tuple[str, str], ttl: int | None) -> None:
        kept = self.live(self.records.get(path))
        try:
            self.memory.touch(*path, ttl)
        except NotFound:
            assert kept is None
            return
        assert kept is not None
        end = self.end_of(path[0], ttl)
        if end is not None and kept.end is not None:
            length = end - self.clock.now_ms()
            if 0 <= end - kept.end < length * TOUCH_SHARE:
                end = kept.end
        self.records[path] = kept._replace(end=end)

    @rule(path=st.sampled_from(COUNTERS), by=st.integers(-5, 5))
    def increment(self, path: tuple[str, str], by: int) -> None:
        before = self.live(self.counters.get(path))
        value = (before.value if before else 0) + by
        assert self.memory.increment(*path, by) == value
        self.counters[path] = Kept(value, self.end_of(path[0], None))

    @rule(path=st.sampled_from(COUNTERS), value=st.integers(-5, 5))
    def set_counter(self, path: tuple[str, str], value: int) -> None:
        assert self.memory.set_counter(*path, value) == value
        self.counters[path] = Kept(value, self.end_of(path[0], None))

    @rule(ms=st.sampled_from([1, 499, 500, 999, SWEEP_MARGIN_MS]))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)

    @rule()
    def sweep(self) -> None:
        drop_expired(self.memory.store, [r.seq for r in expired(self.memory.store, 99)], actor="s")

    @rule()
    def reopen(self) -> None:
        if self.url != "sqlite://":
            self.memory.close()
            self.memory = Memory.open(self.url, clock=self.clock)

    @invariant()
    def a_reader_sees_the_model(self) -> None:
        for path, kept in (*self.records.items(), *self.counters.items()):
            live = self.live(kept)
            assert self.memory.get(*path, "absent") == (live.value if live else "absent")
        for namespace in ("keep/a", "session/a"):
            everything = {**self.records, **self.counters}
            seen = {
                key: kept.value
                for (ns, key), kept in everything.items()
                if ns == namespace and self.live(kept)
            }
            assert dict(self.memory.scan(namespace)) == seen
            assert self.memory.get_many(namespace, ["k", "k/1", "m", "n"]) == seen

    @invariant()
    def totals_are_a_recount(self) -> None:
        stats = self.memory.stats()
        [(rows, size)] = run_sql(
            self.memory, "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM sibling"
        )
        assert (stats.records, stats.bytes) == (rows, size)
        assert sum(share.records for share in stats.namespaces) == rows

    def teardown(self) -> None:
        report = verify_store(self.memory.store)
        self.memory.close()
        self.folder.cleanup()
        assert report.ok, report.findings


class InMemory(History):
    def make_url(self) -> str:
        return "sqlite://"


few = settings(max_examples=50, stateful_step_count=30)

TestHistoryInFile = History.TestCase
TestHistoryInFile.settings = few
TestHistoryInMemory = InMemory.TestCase
TestHistoryInMemory.settings = few


def test_history_on_postgres(postgres_server: PostgresServer) -> None:
    class OnPostgres(History):
        def make_url(self) -> str:
            self.database = postgres_server.database()
            return self.database.__enter__()

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.database.__exit__(None, None, None)

    case = OnPostgres.TestCase
    case.settings = settings(max_examples=15, stateful_step_count=25)
    case().runTest()
