"""The older swarm program's database: everything comes in where agents look for it."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_foreign import IMPORT_METADATA_BYTES_MAX
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, PassedOver, Quarantined
from memtend.migrate.swarm_keys import home_of
from memtend.model.unreadable import Unreadable
from tests.fixtures.foreign import another_program, snapshot
from tests.fixtures.swarm_file import SwarmFile, packed

GOLDEN = Path(__file__).parents[1] / "golden/legacy/swarm"


@pytest.fixture
def theirs(tmp_path: Path) -> SwarmFile:
    return SwarmFile(tmp_path / "theirs/.swarm/memory.db")


def everything(theirs: SwarmFile, zone: str = "UTC") -> list[Found]:
    return list(read_source(theirs.path.parent.parent, zone=zone))


def items(theirs: SwarmFile, zone: str = "UTC") -> dict[str, ImportItem]:
    return {one.source.id: one for one in everything(theirs, zone) if isinstance(one, ImportItem)}


def reasons(theirs: SwarmFile) -> dict[str | None, str]:
    return {one.id: one.reason for one in everything(theirs) if isinstance(one, Quarantined)}


def test_the_sample_comes_in_whole(tmp_path: Path) -> None:
    root = Path(shutil.copytree(GOLDEN, tmp_path / "source"))
    before = snapshot(root)
    assert detect_source(root) == detect_source(root / "memory.db") == "swarm"
    found = list(read_source(root))
    places = {one.path: one for one in found if isinstance(one, ImportItem)}
    assert sorted(places) == [
        "neural/outcomes/o0", "neural/outcomes/o1", "neural/outcomes/o2", "neural/outcomes/o3",
        "neural/outcomes/o4", "neural/outcomes/o5", "neural/outcomes/o6", "neural/outcomes/o7",
        "neural/outcomes/o8", "neural/patterns/pattern_optimization_850792ba",
        "swarm-fx/agent-a1/state", "swarm-fx/coordination-state/checkpoint/1",
        "swarm-fx/global/coordination",
    ]  # fmt: skip
    state = places["swarm-fx/agent-a1/state"]
    assert (state.value, state.labels.kind, state.labels.agent) == (
        {"status": "active"}, "state", "a1")  # fmt: skip
    assert state.created_ms == state.updated_ms == 1_795_221_840_000
    assert state.expires_at_ms == 1_797_813_840_386
    assert state.naive_times == 1
    assert state.labels.extra["original"]["category"] == "swarm-fx"
    assert places["swarm-fx/coordination-state/checkpoint/1"].value == {"step": 3}
    passed = " ".join(one.reason for one in found if isinstance(one, PassedOver))
    assert "locks: a lock list is not taken over; it holds 1: swarm-fx/res by a1" in passed
    assert "it holds 6: sync_complete from a1 to everybody" in passed
    assert "is a log, and no memory: 24 store, 8 retrieve" in passed
    assert not [one for one in found if isinstance(one, Quarantined)]
    assert snapshot(root) == before


def test_deadlines_are_local_and_the_other_times_are_not(theirs: SwarmFile) -> None:
    theirs.put("swarm-x/agent-a/state", {"timestamp": "2026-07-01T12:00:00"},
               created_at="2026-07-01 10:00:00", updated_at="2026-07-01 10:00:00",
               last_accessed="2026-07-01T13:00:00", expires_at="2026-07-01T14:00:00")  # fmt: skip
    one = items(theirs, "Europe/Berlin")["swarm-x/agent-a/state"]
    noon_ms = 1_782_900_000_000  # 10:00 UTC, noon in Berlin
    assert (one.created_ms, one.updated_ms) == (noon_ms, noon_ms)
    assert one.accessed_ms == noon_ms + 3_600_000
    assert one.expires_at_ms == noon_ms + 2 * 3_600_000
    assert one.naive_times == 3
    assert one.value["at_ms"] == noon_ms
    assert one.labels.extra["added"] == ["at_ms"]
    assert items(theirs)["swarm-x/agent-a/state"].value == {"timestamp": "2026-07-01T12:00:00"}
    assert ZoneInfo("Europe/Berlin")


def test_what_cannot_be_believed_is_set_aside_with_its_bytes(theirs: SwarmFile) -> None:
    theirs.put("good", {"n": 1})
    theirs.put("wrong hash", 1, data_hash="0" * 64)
    theirs.put("no data", compressed_data=None)
    theirs.put("number", compressed_data=7)
    theirs.put("cut off", compressed_data=gzip.compress(b"[1,2,3]" * 99)[:-9])
    theirs.put("not packed", compressed_data=b'{"n": 1}', data_hash=packed({"n": 1})["data_hash"])
    theirs.put("nan", b'{"n": NaN}')
    theirs.put("doubled", b'{"n": 1, "n": 2}')
    theirs.put("bomb", bytes(40_000_000))
    theirs.put("deep", b"[" * 100_000 + b"]" * 100_000)
    theirs.put("big", b"1" * 400)
    theirs.put("time", created_at="yesterday")
    theirs.put("deadline", expires_at=-5)
    theirs.put("metadata", metadata='"' + "x" * 10 * IMPORT_METADATA_BYTES_MAX + '"')
    theirs.put("k" * 600)
    theirs.put(None)
    theirs.put(b"\xff\xfe")
    theirs.run("INSERT INTO memory_entries (memory_key) VALUES (CAST(x'ff' AS TEXT))")
    assert set(items(theirs)) == {"good", "not packed"}
    why = reasons(theirs)
    assert why["wrong hash"] == "its data does not match its hash"
    assert why["no data"] == "it has no data"
    assert "cut off" in why["cut off"]
    assert "than a file of its size can hold" in why["bomb"]
    assert "key twice" in why["doubled"]
    assert "nested too deeply" in why["deep"]
    assert "longer than" in why["metadata"]
    assert why["memory_entries row 18"] == "its memory_key is no text in UTF-8"
    assert len(why) == 16
    kept = {one.id: one for one in everything(theirs) if isinstance(one, Quarantined)}
    assert b'"memory_key": "wrong hash"' in kept["wrong hash"].data


def test_metadata_and_unknown_columns_are_data(theirs: SwarmFile) -> None:
    theirs.run("ALTER TABLE memory_entries ADD COLUMN priority INTEGER")
    theirs.put("a/b", metadata='{"tags": ["x", "y"], "n": 1}', priority=9, category="c")
    theirs.put("c/d", metadata="not json")
    found = items(theirs)
    assert found["a/b"].labels.extra == {
        "original": {"category": "c", "priority": 9}, "metadata": {"tags": ["x", "y"], "n": 1}
    }  # fmt: skip
    assert found["a/b"].labels.tags == ("x", "y")
    assert found["c/d"].labels.extra["metadata"] == "not json"


def test_a_lock_list_of_another_form_is_memory(theirs: SwarmFile) -> None:
    theirs.put("swarm-x/coordination/locks", {"locks": "none", "why": "quiet"})
    theirs.put("swarm-x/coordination/messages", {"messages": [1, {"sender_agent": 5}]})
    theirs.put("swarm-y/coordination/locks", {"locks": []})
    assert set(items(theirs)) == {"swarm-x/coordination/locks"}
    passed = [one.reason for one in everything(theirs) if isinstance(one, PassedOver)]
    assert "? from ? to everybody; ? from ? to everybody" in passed[0]
    assert passed[1].endswith("it holds 0")


def test_learned_patterns_of_the_table_and_of_the_entries(theirs: SwarmFile) -> None:
    theirs.put("neural/patterns/p1", {"pattern_id": "p1", "success_rate": 0.5})
    for number in ("p1", "p2"):
        theirs.insert("neural_patterns", pattern_id=number, pattern_type="retry", success_rate=0.75,
                      usage_count=4, pattern_data='{"actions": ["wait"]}',
                      learned_at="2026-11-21 00:00:00")  # fmt: skip
    theirs.insert("coordination_state", swarm_id="a b", state_type="check/point",
                  state_data='["x"]', is_active=0)  # fmt: skip
    theirs.insert("coordination_state", swarm_id="x", state_type=None, state_data="1")
    found = {one.path: one for one in everything(theirs) if isinstance(one, ImportItem)}
    assert set(found) == {"neural/patterns/p1", "neural/patterns-table/p1", "neural/patterns/p2",
                          "swarm-q=a=20b/coordination-state/q=check=2Fpoint/1"}  # fmt: skip
    second = found["neural/patterns/p2"]
    assert second.value["actions"] == ["wait"]
    assert (second.labels.success_count, second.labels.failure_count) == (3, 1)
    assert second.labels.extra["added"] == ["at_ms", "pattern_id", "pattern_type", "success_rate"]
    assert found["neural/patterns/p1"].without_metrics
    assert reasons(theirs) == {"coordination_state row 2": "it has no swarm, type or number"}


def test_what_its_program_is_about_to_write_down_is_seen(theirs: SwarmFile) -> None:
    theirs.put("a/b", {"n": 1})
    with another_program(
        theirs.path, "db.execute('PRAGMA journal_mode = wal')",
        "db.execute(\"UPDATE memory_entries SET memory_key = 'a/c'\")",
    ):  # fmt: skip
        before = snapshot(theirs.path.parent)
        assert set(items(theirs)) == {"a/c"}
        assert snapshot(theirs.path.parent) == before


def test_other_tables_and_files_are_named(theirs: SwarmFile) -> None:
    theirs.run("CREATE TABLE notes (text)", "INSERT INTO notes VALUES (1), (2)",
               "CREATE VIEW everything AS SELECT * FROM notes",
               "DROP TABLE neural_patterns", "CREATE VIEW neural_patterns AS SELECT 1")  # fmt: skip
    (theirs.path.parent / "hooks.log").write_text("x")
    (theirs.path.parent / "memory_config.json").write_text("{}")
    told = {one.reason for one in everything(theirs) if isinstance(one, PassedOver)}
    assert "the table notes is no part of this kind of memory: 2 rows" in told
    assert "the table everything is no part of this kind of memory: a view" in told
    assert "the table neural_patterns is no part of this kind of memory: a view" in told
    assert "configuration; `memtend policies from` translates it" in told
    assert "it is no memory of this kind" in told


@pytest.mark.parametrize("keep", [0, 60, 5_000, 40_000])
def test_a_file_that_was_cut_off_is_never_empty(theirs: SwarmFile, keep: int) -> None:
    for number in range(100):
        theirs.put(f"a/{number}", "text " * number)
    theirs.path.write_bytes(theirs.path.read_bytes()[:keep])
    for root in (theirs.path.parent.parent, theirs.path.parent, theirs.path):
        assert detect_source(root) == "swarm"
    found = everything(theirs)
    assert isinstance(found[0], Quarantined)
    assert found[0].path == ".swarm/memory.db"
    assert found[0].size_bytes == keep


def test_keys_go_where_agents_read_them() -> None:
    homes = {
        "swarm-s/agent-a/state": ("swarm-s/agent-a", "state"),
        "swarm-s/agent-a b/decisions/t": ("swarm-s/agent-q=a=20b/decisions", "t"),
        "swarm-s/agent-a/progress/Task 1": ("swarm-s/agent-a/progress", "q=Task=201"),
        "swarm-s/global/knowledge/api": ("swarm-s/global/knowledge", "api"),
        "swarm-s/global/knowledge": ("swarm-s/global", "knowledge"),
        "swarm-s/session-1/context": ("swarm-s/session-1", "context"),
        "neural/outcomes/o1": ("neural/outcomes", "o1"),
        "../../etc/passwd": ("q=../q=..", "etc/passwd"),
        "alone": ("swarm", "alone"),
        "": ("swarm", "q="),
        "a/": ("a", "q="),
    }
    assert {key: tuple(home_of(key)) for key in homes} == homes


@given(st.lists(st.text(st.sampled_from("ab-q=/ é\0"), max_size=12), unique=True, max_size=8))
def test_different_keys_have_different_places(keys: list[str]) -> None:
    """Those of one segment have a namespace of their own, which other keys may share."""
    longer = [key for key in keys if "/" in key]
    assert len({home_of(key).path for key in longer}) == len(longer)


@given(st.text(max_size=700))
def test_every_key_has_a_place_or_is_too_long(key: str) -> None:
    try:
        place = home_of(key)
    except Unreadable:
        assert len(key.encode("utf-8", "surrogatepass")) > 150 or key.count("/") > 14
    else:
        assert place.path


def test_importing_knows_an_entry_again(theirs: SwarmFile, tmp_path: Path) -> None:
    """The number of a row changes with every write of the older program, the item does not."""
    theirs.put("a/b", {"n": 1})
    first = items(theirs)["a/b"].source
    theirs.run("UPDATE memory_entries SET id = id + 5, access_count = 9")
    moved = SwarmFile(tmp_path / "elsewhere/.swarm/memory.db")
    shutil.copy(theirs.path, moved.path)
    again: Any = items(moved)["a/b"].source
    assert (again.import_id, again.digest) == (first.import_id, first.digest)
