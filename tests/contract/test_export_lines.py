"""JSON lines: what goes out of any store comes into any other as it was, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.codec.envelope import QUARANTINED
from memtend.drafting import Put
from memtend.export.plan import ExportPlan, Format
from memtend.export.reading import Exported, records
from memtend.export.report import ExportReport, Tally
from memtend.memory import Memory
from memtend.migrate.importing import ImportReport
from memtend.migrate.items import LINEAGE
from memtend.model.policy import Policy
from memtend.model.record import Labels, Trust
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.quarantine import mark_writer
from memtend.store.snapshot import snapshot
from tests.fixtures.stores import set_policies

HOUR_MS = 3_600_000


class Both(NamedTuple):
    source: Services
    dest: Services
    folder: Path

    def export(self, name: str = "memory.jsonl", **more: Any) -> ExportReport:
        plan = self.source.plan_export(str(self.folder / name), replace=True, **more)
        return self.source.apply_export(plan)

    def bring(self, name: str = "memory.jsonl", into: Services | None = None) -> ImportReport:
        services = into or self.dest
        return services.apply_import(services.plan_import(str(self.folder / name)))


@pytest.fixture
def both(memory: Memory, tmp_path: Path, clock: ManualClock) -> Iterator[Both]:
    """A store on each engine in turn, and an empty one to bring its records to."""
    config = Settings(plans_url=str(tmp_path / "plans"))
    with Memory.open("sqlite://", clock=clock) as other:
        yield Both(Services(memory, config), Services(other, config), tmp_path)
        checked = Services(other, config).verify_store()
        assert checked.ok, checked.findings


def held(services: Services) -> list[tuple[Any, ...]]:
    """Everything of a record that an export keeps, without where it came from."""
    store = services.store
    facts = services.facts()
    plan = ExportPlan(store_id="", made_at=facts.at, basis=0, url="x.jsonl", format=Format.JSONL)
    with snapshot(store) as view:
        return [_kept(one) for one in records(store, view, plan, Tally())]


def _kept(one: Exported) -> tuple[Any, ...]:
    older = tuple((seen.text, _labels(seen.body), seen.exp) for seen in one.older)
    place = (one.namespace, one.key, one.field, one.type)
    created = None if one.type == 1 else one.created_ms
    return (*place, one.text, _labels(one.top), created, one.expires_ms, one.access, older)


def _labels(body: Any) -> tuple[Any, ...]:
    import ormsgpack  # noqa: PLC0415

    extra = ormsgpack.unpackb(body.extra) if body.extra else {}
    extra.pop(LINEAGE, None)
    return (*body[7:18], extra)


def fill(both: Both, clock: ManualClock) -> None:
    memory = both.source.memory
    rich = Labels(
        kind="fact", agent="ada", session="s1", tags=("red", "ü"), importance=0.25, confidence=1.0,
        success_count=3, failure_count=0, pinned=True, writer="ada", trust=Trust.TRUSTED,
        extra={"deep": {"list": [1, None, "x"]}},
    )  # fmt: skip
    memory.put("notes", "rich", {"a": [1.5, True, None], "ü": "\u2028"}, labels=rich)
    memory.put("notes", "short", "lived", ttl_ms=HOUR_MS)
    memory.put("swarm-x/agent-y/state", "kept", 1, ttl_ms=0)
    memory.put("notes", "contested", 1, labels=Labels(kind="first"))
    clock.advance(5)
    memory.put("notes", "contested", 2, ctx={}, ttl_ms=2 * HOUR_MS)
    memory.put("notes", "secret", "bad", labels=Labels(writer="mallory"))
    mark_writer(memory.store, "mallory", Trust.QUARANTINED, actor="operator")
    memory.increment("n", "hits", 7)
    memory.increment("n", "hits", -2, ttl_ms=HOUR_MS)
    for element in ("b", {"a": 1}):
        memory.add("s", "set", element)
    memory.put_field("m", "map", "one", [1])
    memory.put_field("m", "map", "two/three", 2, ttl_ms=HOUR_MS)
    memory.put_many([Put("many", f"k{n:03}", "long " * (n % 90)) for n in range(300)])
    for _ in range(3):
        memory.get("notes", "rich")
    memory.flush()


@pytest.mark.parametrize("name", ["memory.jsonl", "memory.jsonl.gz", "memory.jsonl.zst"])
def test_what_goes_out_comes_in(both: Both, clock: ManualClock, name: str) -> None:
    """Values, labels, deadlines, siblings, counters, sets, maps, quarantine, access counts."""
    fill(both, clock)
    report = both.export(name)
    done = both.bring(name)
    assert (done.written, done.refused, done.quarantined) == (report.records, 0, 0)
    assert held(both.dest) == held(both.source)
    assert both.dest.memory.get("notes", "contested") == 2
    assert both.dest.memory.get("notes", "secret") is None
    assert QUARANTINED in str(held(both.dest))
    assert both.dest.memory.members("s", "set") == ["b", {"a": 1}]
    assert both.dest.memory.fields("m", "map") == {"one": [1], "two/three": 2}


def test_once_and_again(both: Both, clock: ManualClock) -> None:
    """The same export twice changes nothing, neither there nor where it comes from."""
    fill(both, clock)
    both.export()
    both.bring()
    for services in (both.dest, both.source):
        before, seq = held(services), services.facts().seq
        done = both.bring(into=services)
        assert (done.written, done.refused, done.changed_since) == (0, 0, 0)
        assert (held(services), services.facts().seq) == (before, seq)


def test_a_later_export_updates_what_nobody_changed(both: Both, clock: ManualClock) -> None:
    source, dest = both.source.memory, both.dest.memory
    for key in ("a", "b", "c"):
        source.put("n", key, 1)
    source.increment("c", "hits", 5)
    both.export()
    both.bring()
    clock.advance(1_000)
    dest.put("n", "b", "mine")
    dest.delete("n", "c")
    dest.increment("c", "hits", 1)
    source.put("n", "a", 2)
    source.put("n", "b", 2)
    source.increment("c", "hits", 2)
    both.export()
    done = both.bring()
    assert (done.written, done.refused) == (2, 2)
    assert (dest.get("n", "a"), dest.get("n", "b"), dest.get("n", "c")) == (2, "mine", None)
    assert dest.get("c", "hits") == 8


def test_lineage_is_kept_and_never_nested(both: Both, clock: ManualClock) -> None:
    """However often a record goes from store to store, it says where it came from first."""
    first = {"kind": "aml", "path": "ada/patterns.json", "id": "p1", "format": "1.0.0",
             "import_id": "ab" * 16, "digest": "cd" * 16, "run": "1"}  # fmt: skip
    both.source.memory.put("n", "k", 1, labels=Labels(extra={LINEAGE: first}))
    both.source.memory.put("n", "own", 1)
    both.export()
    both.bring()
    again = Both(both.dest, both.source, both.folder)
    again.export("again.jsonl")
    with Memory.open("sqlite://", clock=ManualClock(seed=9)) as third:
        both.bring("again.jsonl", into=Services(third, Settings()))
        for key, kind in (("k", "aml"), ("own", "jsonl")):
            record = third.read("n", key)
            assert record is not None
            said = record.labels.extra[LINEAGE]
            assert said["kind"] == kind
            assert all(not isinstance(value, dict) for value in said.values())
        assert {name: said[name] for name in first} if key == "k" else True
        record = third.read("n", "k")
        assert record is not None
        assert first.items() <= record.labels.extra[LINEAGE].items()


def test_parts_of_a_store(both: Both, clock: ManualClock) -> None:
    fill(both, clock)
    assert both.export(pattern="notes/**").records == 4
    assert both.export(pattern="many/k00*").records == 10
    assert both.export(agent="ada").counts == {"fact": 1}
    assert both.export(kind="first").records == 0
    clock.advance(90 * 60_000)
    report = both.export()
    why = {one.why: one.count for one in report.left_out}
    assert why == {"expired, and not yet swept": 3}


def test_a_policy_does_not_outlive_a_permanent_record(both: Both, clock: ManualClock) -> None:
    """What was permanent there is permanent here, whatever the policies say."""
    both.source.memory.put("n", "k", 1)
    both.export()
    set_policies(both.dest.memory, Policy(pattern="n/**", ttl_ms=5))
    both.bring()
    record = both.dest.memory.read("n", "k")
    assert record is not None
    assert record.expires_at is None


def test_whatever_extra_a_store_takes_comes_back(both: Both) -> None:
    """It is held to less than values are: larger integers, deeper nesting."""
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    for key, extra in (("large", 2**64 - 1), ("small", -(2**63)), ("deep", deep)):
        both.source.memory.put("n", key, 1, labels=Labels(extra={"any": extra}))
    both.export()
    assert both.bring().written == 3
    assert held(both.dest) == held(both.source)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner, max_size=4
        )
    ),
    max_leaves=12,
)
SEGMENT = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@=+-]{0,6}", fullmatch=True)
NAMES = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
FOUND = st.dictionaries(st.tuples(NAMES, NAMES), st.tuples(JSON, JSON), min_size=1, max_size=5)


@given(found=FOUND)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_under_any_name(
    found: dict[tuple[str, str], tuple[Any, Any]], tmp_path_factory: Any
) -> None:
    """The law: import(export(store)) is the store."""
    folder = tmp_path_factory.mktemp("law")
    clock = ManualClock()
    with (
        Memory.open("sqlite://", clock=clock) as one,
        Memory.open("sqlite://", clock=ManualClock(seed=2)) as two,
    ):
        both = Both(Services(one, Settings()), Services(two, Settings()), folder)
        for (namespace, key), (value, extra) in found.items():
            one.put(namespace, key, value, labels=Labels(extra={"any": extra}))
        both.export()
        done = both.bring()
        assert (done.written, done.refused, done.quarantined) == (len(found), 0, 0)
        assert held(both.dest) == held(both.source)
