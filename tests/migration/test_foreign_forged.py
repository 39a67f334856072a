"""Databases made to cost time: trees that lead back into themselves, tables without an index."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import connect

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend.migrate import foreign_db
from memtend.migrate.foreign_db import Damaged, Row, opened
from memtend.model.unreadable import Unreadable
from tests.fixtures.foreign import made, page_of

PAGE = 1_024
COUNT = 3_000
FILL = (
    "INSERT INTO notes (id, text) WITH RECURSIVE n(i) AS "
    f"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT}) SELECT i, 'note ' || i FROM n"
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("plain") / "notes.db"
    made(path, f"PRAGMA page_size = {PAGE}", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text)",
         FILL)  # fmt: skip
    return path.read_bytes()


def numbers(path: Path) -> list[int]:
    """Of the rows that come; each comes once, whatever the file says."""
    with opened(path) as database:
        found = list(database.rows("notes"))
    seen = [row.rowid for row in found if isinstance(row, Row)]
    assert len(set(seen)) == len(seen)
    return seen


def repoint(data: bytearray, root: int, choose: Callable[[list[int]], list[int]]) -> None:
    """Let the cells of an interior page lead elsewhere."""
    base = (root - 1) * PAGE
    assert data[base] == 5
    count = struct.unpack_from(">H", data, base + 3)[0]
    places = [struct.unpack_from(">H", data, base + 12 + 2 * n)[0] for n in range(count)]
    children = [struct.unpack_from(">I", data, base + at)[0] for at in places]
    for at, child in zip(places, choose(children), strict=True):
        struct.pack_into(">I", data, base + at, child)


@pytest.mark.parametrize(
    "choose",
    [
        lambda children: [children[0]] * len(children),
        lambda children: children[::-1],
        lambda children: [*children[1:], children[0]],
        lambda children: [2] * len(children),
        lambda children: [2**31] * len(children),
    ],
    ids=["one leaf", "reversed", "turned", "into itself", "nowhere"],
)
def test_a_tree_that_leads_back_into_itself_ends(
    plain: bytes, tmp_path: Path, choose: Callable[[list[int]], list[int]]
) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(plain)
    with closing(connect(path)) as database:
        root = page_of(database, "notes")
    data = bytearray(plain)
    repoint(data, root, choose)
    path.write_bytes(data)
    assert len(numbers(path)) < COUNT
    with opened(path) as found:
        assert found.damage is not None
        assert any(isinstance(row, Damaged) for row in found.rows("notes"))
        for look in (lambda: found.count("notes"), lambda: found.tally("notes", "text")):
            with pytest.raises(Unreadable, match="damaged"):
                look()


def test_looking_for_values_without_an_index_is_bounded(
    plain: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(plain)
    monkeypatch.setattr(foreign_db, "FOREIGN_STEPS_MAX", 0)
    monkeypatch.setattr("memtend.migrate.foreign_connection.STEPS", 100)
    monkeypatch.setattr(foreign_db, "STEPS", 100)
    asked: list[int] = []
    with opened(path, check=False) as database, pytest.raises(Unreadable, match="no index on text"):
        asked += (len(database.matching("notes", "text", f"note {n}")) for n in range(1, COUNT))
    assert 2 < len(asked) < COUNT
    assert set(asked) == {1}


def test_a_schema_whose_text_is_none(plain: bytes, tmp_path: Path) -> None:
    """SQLite quotes it in its message, which Python cannot decode."""
    path = tmp_path / "notes.db"
    path.write_bytes(plain[:977] + b"\x80" + plain[978:])
    with opened(path) as database:
        assert database.damage == "SQLite: the schema has text that is no UTF-8"
        with pytest.raises(Unreadable, match="no UTF-8"):
            database.tables()


@given(st.lists(st.tuples(st.integers(0, 200_000), st.binary(min_size=1, max_size=9)), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_is_written_over_it_reading_ends_and_no_row_comes_twice(
    plain: bytes, tmp_path: Path, patches: list[tuple[int, bytes]]
) -> None:
    path = tmp_path / "notes.db"
    data = bytearray(plain)
    for at, patch in patches:
        start = at % (len(data) - len(patch))
        data[start : start + len(patch)] = patch
    path.write_bytes(data)
    with suppress(Unreadable):
        assert len(numbers(path)) <= COUNT
    assert path.read_bytes() == bytes(data)
