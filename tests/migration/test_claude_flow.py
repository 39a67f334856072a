"""claude-flow's own database: texts stay what they were, deadlines come along."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import SourceUnknown
from memtend.migrate.claude_flow import JSON, TEXT, text_of_value, value_of
from memtend.migrate.detect import detect_source, read_source
from memtend.migrate.items import Found, ImportItem, PassedOver, Quarantined
from tests.fixtures.claude_flow import NOON, SCHEMA, make, rows
from tests.fixtures.foreign import another_program, made, snapshot

GOLDEN = Path(__file__).parents[1] / "golden/legacy/claude-flow"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=4),
    max_leaves=8,
)  # fmt: skip


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    (tmp_path / ".swarm").mkdir()
    return made(tmp_path / ".swarm/memory.db", *SCHEMA)


def insert(path: Path, **columns: Any) -> None:
    made = {"key": "k", "value": "v", "namespace": "default"} | columns
    with closing(connect(path)) as database:
        marks = ", ".join("?" * len(made))
        statement = f"INSERT INTO memory_entries ({', '.join(made)}) VALUES ({marks})"
        database.execute(statement, tuple(made.values()))
        database.commit()


def everything(path: Path, **options: Any) -> list[Found]:
    return list(read_source(path.parent.parent, **options))


def items(path: Path) -> dict[str, ImportItem]:
    return {one.path: one for one in everything(path) if isinstance(one, ImportItem)}


def test_the_sample_comes_in_whole(tmp_path: Path) -> None:
    root = Path(shutil.copytree(GOLDEN, tmp_path / "source"))
    before = snapshot(root)
    assert detect_source(root) == detect_source(root / ".swarm/memory.db") == "claude-flow"
    found = list(read_source(root))
    assert snapshot(root) == before
    assert len(found) == sum(isinstance(one, ImportItem) for one in found) == 60
    for one, (key, text, space, metadata, made_s, changed_s, read_s, reads, ttl, ends_s) in zip(
        found, rows(60), strict=True
    ):
        assert isinstance(one, ImportItem)
        assert one.source.id == key
        assert one.namespace == space
        assert text_of_value(one.value, one.labels.extra["original"]["form"]) == text
        assert (one.created_ms, one.updated_ms) == (made_s * 1_000, changed_s * 1_000)
        assert (one.accessed_ms, one.access_count) == (read_s * 1_000, reads)
        assert one.expires_at_ms == (ends_s and ends_s * 1_000)
        assert one.labels.extra["original"].get("ttl") == ttl
        assert one.labels.extra.get("metadata") == (json.loads(metadata) if metadata else None)
    assert sum(one.expires_at_ms is not None for one in found if isinstance(one, ImportItem)) == 30


def test_the_golden_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    again = make(tmp_path / ".swarm/memory.db")
    assert list(items(again).values()) == list(items(GOLDEN / ".swarm/memory.db").values())


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('{"a": [1, 2.5, null]}', JSON), ("[]", JSON), ('"text"', JSON), ("true", JSON),
        ("17", JSON), ("-0.25", JSON), ("null", JSON), ('{"n": 1.10}', JSON),
        ("plain", TEXT), ("", TEXT), ("1.10", TEXT), ("007", TEXT), ("-0", TEXT), ("1e5", TEXT),
        ("NaN", TEXT), ('{"a": NaN}', TEXT), ('{"a": 1, "a": 2}', TEXT), ('{"n": -0}', TEXT),
        ("12345678901234567890", TEXT), ('{"n": 0.12345678901234567890123}', TEXT),
        ("[" * 100_000, TEXT), ("[" * 70 + "]" * 70, TEXT), ('"\\ud800"', TEXT),
        ('{"n": 1e999}', TEXT), (" 1", TEXT), ('{"n": 1e-07}', JSON),
    ],
)  # fmt: skip
def test_what_a_text_is(text: str, form: str) -> None:
    value = value_of(text)
    assert value.form == form
    again = text_of_value(*value)
    assert again == text if form == TEXT else json.loads(again) == json.loads(text)


@given(ANY_JSON, st.booleans(), st.sampled_from([None, (",", ":")]))
def test_json_says_the_same_on_the_way_back(value: Any, plain: bool, separators: Any) -> None:
    found = value_of(json.dumps(value, ensure_ascii=plain, separators=separators))
    assert json.loads(text_of_value(*found)) == value


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    found = value_of(text)
    again = text_of_value(*found)
    assert again == text or json.loads(again) == json.loads(text)


def test_names_stay_apart(theirs: Path) -> None:
    names = [("a", "b/c"), ("a/b", "c"), ("", ""), ("A b", "../x"), ("a", "b:c"), ("q=a", "b")]
    for space, key in names:
        insert(theirs, namespace=space, key=key)
    assert list(items(theirs)) == ["a/b/c", "q=a=2Fb/c", "q=/q=", "q=A=20b/q=../x", "a/b:c",
                                   "q=q=3Da/b"]  # fmt: skip
    ids = {one.source.import_id for one in items(theirs).values()}
    assert len(ids) == len(names)


def test_deadlines_of_every_kind(theirs: Path) -> None:
    insert(theirs, key="none")
    insert(theirs, key="zero", ttl=0, expires_at=0)
    insert(theirs, key="seconds", expires_at=NOON, ttl=1)
    insert(theirs, key="ms", expires_at=NOON * 1_000)
    insert(theirs, key="ttl", ttl=60, created_at=NOON - 5, updated_at=NOON)
    insert(theirs, key="made", ttl=60, created_at=NOON, updated_at=None)
    insert(theirs, key="text", expires_at="2025-11-21T12:00:00Z")
    insert(theirs, key="bad", expires_at="soon")
    insert(theirs, key="bad ttl", ttl="long")
    found = {key.removeprefix("default/"): one.expires_at_ms for key, one in items(theirs).items()}
    noon_ms = NOON * 1_000
    assert found == {"none": None, "zero": None, "seconds": noon_ms, "ms": noon_ms, "text": noon_ms,
                     "ttl": noon_ms + 60_000, "made": noon_ms + 60_000}  # fmt: skip
    wrong = {one.id: one.reason for one in everything(theirs) if isinstance(one, Quarantined)}
    assert wrong == {
        "bad": "'soon' is no timestamp", "bad ttl": "its ttl is no number of seconds"
    }  # fmt: skip


def test_one_bad_row_blocks_only_itself(theirs: Path) -> None:
    with closing(connect(theirs)) as database:
        database.execute("CREATE TABLE patterns (id)")
        numbers = ((f"k{n}", "v") for n in range(2_000))
        database.executemany("INSERT INTO memory_entries (key, value) VALUES (?, ?)", numbers)
        database.execute("UPDATE memory_entries SET value = x'00ff' WHERE id = 700")
        database.execute("UPDATE memory_entries SET metadata = CAST(x'ff' AS TEXT) WHERE id = 800")
        database.execute("UPDATE memory_entries SET key = printf('%.*c', 600, 'k') WHERE id = 900")
        database.commit()
    assert len(items(theirs)) == 1_997
    wrong = {one.id: one.reason for one in everything(theirs) if isinstance(one, Quarantined)}
    assert wrong["k699"] == "its value is no text"
    assert wrong["k799"] == "its metadata is no text in UTF-8"
    assert len(wrong) == 3
    passed = [one.reason for one in everything(theirs) if isinstance(one, PassedOver)]
    assert passed == ["the table patterns is no part of this kind of memory: 0 rows"]


def test_a_running_program_is_read_and_not_disturbed(theirs: Path) -> None:
    store = "INSERT INTO memory_entries (key, value) VALUES ('now', 'here')"
    with another_program(
        theirs, "db.execute('PRAGMA journal_mode = wal')", f"db.execute({store!r})"
    ):
        before = snapshot(theirs.parent)
        assert items(theirs)["default/now"].value == "here"
        assert snapshot(theirs.parent) == before


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".swarm").mkdir()
    path = made(tmp_path / ".swarm/memory.db", "CREATE TABLE memory_entries (id, content, type)")
    for kind in ("swarm", "claude-flow"):
        with pytest.raises(SourceUnknown, match="memory_entries has no column"):
            everything(path, kind=kind)
    with pytest.raises(SourceUnknown, match="no known file"):
        everything(path)
    with pytest.raises(SourceUnknown, match=r"no \.swarm/memory\.db of swarm"):
        list(read_source(tmp_path / ".swarm" / "none", kind="swarm"))
