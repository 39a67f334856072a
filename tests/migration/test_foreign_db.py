"""Foreign SQLite files: what is committed is seen, nothing is changed, nothing is believed."""

from __future__ import annotations

import os
import struct
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from memtend.limits_foreign import FOREIGN_PAGE_ROWS, FOREIGN_ROW_BYTES_MAX
from memtend.migrate.foreign_copy import refuse_super_journal
from memtend.migrate.foreign_db import Damaged, NotText, Row, opened
from memtend.model.unreadable import Unreadable
from tests.fixtures.foreign import another_program, crashed, made, snapshot

TABLE = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"
MANY = (
    "INSERT INTO notes (id, text) WITH RECURSIVE n(i) AS "
    "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i, 'note ' || i FROM n"
)


def texts(path: Path) -> list[object]:
    with opened(path) as database:
        assert database.damage is None
        return [row.values["text"] for row in database.rows("notes") if isinstance(row, Row)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "theirs").mkdir()
    return tmp_path / "theirs/notes #1?.db"


def test_rows_come_in_order_and_page_by_page(path: Path) -> None:
    count = 2 * FOREIGN_PAGE_ROWS + 7
    made(path, TABLE, MANY.format(count), "INSERT INTO notes VALUES (-5, 'first')")
    before = snapshot(path.parent)
    assert texts(path) == ["first", *(f"note {n}" for n in range(1, count + 1))]
    with opened(path) as database:
        assert database.count("notes") == count + 1
        assert database.columns("notes") == ("id", "text")
        assert database.matching("notes", "text", "note 8") == [Row(8, {"id": 8, "text": "note 8"})]
    assert snapshot(path.parent) == before


def test_the_ends_of_the_numbers_are_rows_too(path: Path) -> None:
    ends = (-(2**63), 2**63 - 1)
    made(path, TABLE, *(f"INSERT INTO notes VALUES ({end}, '{end}')" for end in ends))
    assert texts(path) == [str(end) for end in ends]


@pytest.mark.parametrize("mode", ["wal", "delete", "persist", "truncate"])
def test_what_a_running_program_has_committed_is_seen(path: Path, mode: str) -> None:
    made(path, f"PRAGMA journal_mode = {mode}", TABLE, MANY.format(3))
    said = ("INSERT INTO notes VALUES (10, 'committed')", "BEGIN IMMEDIATE",
            "INSERT INTO notes VALUES (11, 'not yet')")  # fmt: skip
    lines = [f"db.execute('PRAGMA journal_mode = {mode}')"]
    with another_program(path, *lines, *(f"db.execute({line!r})" for line in said)):
        before = snapshot(path.parent)
        assert texts(path) == ["note 1", "note 2", "note 3", "committed"]
        assert snapshot(path.parent) == before


def test_a_journal_that_a_crash_left_is_rolled_back_in_a_copy(path: Path) -> None:
    made(path, TABLE, MANY.format(3_000))
    crashed(path, "db.execute('PRAGMA cache_size = 5')", "db.execute('BEGIN')",
            "db.execute(\"UPDATE notes SET text = text || ' changed'\")")  # fmt: skip
    before = snapshot(path.parent)
    assert "notes #1?.db-journal" in before
    with closing(connect(f"{path.as_uri()}?immutable=1", uri=True)) as torn:
        statement = "SELECT COUNT(*) FROM notes WHERE text LIKE '% changed'"
        assert torn.execute(statement).fetchone()[0] > 0
    assert texts(path) == [f"note {n}" for n in range(1, 3_001)]
    assert snapshot(path.parent) == before


def test_a_write_while_it_is_read_leads_to_a_copy(path: Path) -> None:
    count = 2 * FOREIGN_PAGE_ROWS
    made(path, TABLE, MANY.format(count))
    with opened(path) as database:
        rows = database.rows("notes")
        first = next(rows)
        made(path, f"UPDATE notes SET text = 'new' WHERE id = {count}",
             f"INSERT INTO notes VALUES ({count + 1}, 'later')")  # fmt: skip
        rest = [row.values["text"] for row in rows if isinstance(row, Row)]
    assert first == Row(1, {"id": 1, "text": "note 1"})
    assert rest[-2:] == ["new", "later"]
    assert len(rest) == count


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_program_that_never_rests_is_read_at_one_moment(path: Path, mode: str) -> None:
    """Each of its transactions leaves equal texts; so must every copy."""
    made(path, f"PRAGMA journal_mode = {mode}", TABLE, MANY.format(500), "UPDATE notes SET text=0")
    busy = ("import threading",
            "def work():",
            "    own = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)",
            "    own.execute('PRAGMA wal_autocheckpoint = 20')",
            "    own.execute('PRAGMA synchronous = OFF')",
            "    while True: own.execute('UPDATE notes SET text = text + 1')",
            "threading.Thread(target=work, daemon=True).start()")  # fmt: skip
    with another_program(path, *busy):
        for _ in range(5):
            with opened(path) as database:
                database._take_copy()
                seen = {row.values["text"] for row in database.rows("notes")}  # type: ignore[union-attr]
                assert len(seen) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"not a database, but long enough to be one" * 9, "it is not a SQLite database"),
        (b"SQLite format 3\0" + bytes(50), "it is cut off within its first page"),
        (b"SQLite format 3\0" + bytes(4_080), "SQLite: "),
    ],
)
def test_what_is_no_database_is_never_empty(path: Path, data: bytes, why: str) -> None:
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=why), opened(path) as database:
        database.tables()
    assert path.read_bytes() == data


def test_links_pipes_folders_and_nothing(path: Path) -> None:
    made(path, TABLE)
    link, pipe = path.with_name("link.db"), path.with_name("pipe.db")
    link.symlink_to(path)
    os.mkfifo(pipe)
    for other, why in ((link, "symbolic link"), (pipe, "not a plain file"),
                       (path.parent, "."), (path.with_name("none.db"), "not there")):  # fmt: skip
        with pytest.raises(Unreadable, match=why), opened(other):
            pass


def test_a_log_that_is_a_link_is_not_followed(path: Path) -> None:
    made(path, TABLE)
    path.with_name(path.name + "-wal").symlink_to(path)
    with pytest.raises(Unreadable, match="symbolic link"), opened(path):
        pass


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("CREATE VIEW notes AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) "
         "SELECT i AS text FROM n", "notes is a view"),
        ("CREATE VIRTUAL TABLE notes USING fts5(text)", "notes is a virtual table"),
        ("CREATE TABLE notes (a TEXT, text TEXT AS (a || a))", "generated columns"),
        ("CREATE TABLE notes (rowid TEXT, text TEXT)", "hides its row numbers"),
        ("CREATE TABLE notes (text TEXT PRIMARY KEY) WITHOUT ROWID", "SQLite: no such column"),
        ("CREATE TABLE others (text TEXT)", "no table notes"),
    ],
)  # fmt: skip
def test_a_forged_schema_is_not_read(path: Path, schema: str, why: str) -> None:
    made(path, schema)
    with opened(path) as database:
        if "WITHOUT" in schema:
            assert [found.why[:22] for found in database.rows("notes")] == [why]  # type: ignore[union-attr]
            return
        with pytest.raises(Unreadable, match=why):
            list(database.rows("notes"))


VIEWS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) INSERT INTO "
    "sqlite_schema SELECT 'view', 'v' || i, 'v' || i, 0, 'CREATE VIEW v' || i || ' AS SELECT 1' "
    "FROM n"
)


@pytest.mark.parametrize("mode", ["wal", "delete"])
@pytest.mark.parametrize("page_bytes", [512, 4_096, 65_536])
def test_a_schema_without_end_is_refused_before_sqlite_reads_it(
    path: Path, mode: str, page_bytes: int
) -> None:
    pragmas = f"PRAGMA page_size = {page_bytes}", f"PRAGMA journal_mode = {mode}"
    made(path, *pragmas, TABLE, "PRAGMA writable_schema = ON", VIEWS.format(900))
    with opened(path) as database:
        assert len(database.tables()) == 901
    more = "v' || (i + 900)"
    forged = VIEWS.format(2_000).replace("v' || i", more)
    with another_program(
        path, f"db.execute('PRAGMA journal_mode = {mode}')",
        "db.execute('PRAGMA writable_schema = ON')", f"db.execute({forged!r})",
    ):  # fmt: skip
        before = snapshot(path.parent)
        with pytest.raises(Unreadable, match="longer than that of any program"), opened(path):
            pass
        assert snapshot(path.parent) == before


def test_one_entry_of_a_schema_may_be_long_but_not_any_length(path: Path) -> None:
    columns = ", ".join(f"/* {'x' * 9_000} */ c{number}" for number in range(90))
    made(path, TABLE, f"CREATE TABLE long ({columns})")
    assert texts(path) == []
    made(path, f"CREATE TABLE longer ({columns})")
    with pytest.raises(Unreadable, match="longer than that of any program"), opened(path):
        pass


def test_a_log_that_is_garbage_hides_nothing_that_was_written_before(path: Path) -> None:
    made(path, "PRAGMA journal_mode = wal", TABLE, MANY.format(3))
    path.with_name(path.name + "-wal").write_bytes(b"garbage" * 5_000)
    before = snapshot(path.parent)
    assert texts(path) == ["note 1", "note 2", "note 3"]
    assert snapshot(path.parent) == before


def test_text_that_is_none_stays_bytes(path: Path) -> None:
    made(path, TABLE, "INSERT INTO notes VALUES (1, CAST(x'ff00fe' AS TEXT)), (2, x'0102')")
    found = texts(path)
    assert found == [b"\xff\x00\xfe", b"\x01\x02"]
    assert [type(one) for one in found] == [NotText, bytes]


def test_a_row_that_is_too_long_blocks_only_itself(path: Path) -> None:
    made(path, TABLE, f"INSERT INTO notes VALUES (2, zeroblob({FOREIGN_ROW_BYTES_MAX + 1}))",
         "INSERT INTO notes VALUES (1, 'before'), (3, 'after')")  # fmt: skip
    with opened(path) as database:
        found = list(database.rows("notes"))
    assert [row.rowid for row in found] == [1, 2, 3]
    assert found[1] == Damaged(2, "SQLite: string or blob too big")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_damaged_pages_hide_no_other_rows(path: Path, share: float) -> None:
    made(path, "PRAGMA page_size = 1024", TABLE, MANY.format(2_000))
    data = bytearray(path.read_bytes())
    at = int(len(data) * share) // 1_024 * 1_024
    data[at : at + 1_024] = b"\xee" * 1_024
    path.write_bytes(data)
    with opened(path) as database:
        assert database.damage is not None
        found = list(database.rows("notes"))
    rows = {row.rowid for row in found if isinstance(row, Row)}
    assert len(rows) == sum(isinstance(row, Row) for row in found) > 1_800
    assert any(isinstance(row, Damaged) for row in found)


def test_a_file_that_was_cut_off_is_damaged(path: Path) -> None:
    made(path, TABLE, MANY.format(2_000))
    path.write_bytes(path.read_bytes()[:20_000])
    with opened(path) as database:
        assert database.damage is not None
        with pytest.raises(Unreadable, match="SQLite: database disk image is malformed"):
            database.columns("notes")


def test_a_forged_journal_makes_sqlite_delete_nothing(path: Path) -> None:
    """It names a file of ours as its super-journal, which SQLite deletes once it is rolled back."""
    made(path, TABLE)
    ours = path.parent.with_name("ours.txt")
    ours.write_text("precious")
    name = str(ours).encode()
    magic = bytes.fromhex("d9d505f920a163d7")
    header = magic + struct.pack(">5I", 0, 0, 2, 512, 4_096) + bytes(484)
    end = struct.pack(">I", 0) + name + struct.pack(">2I", len(name), sum(name)) + magic
    path.with_name(path.name + "-journal").write_bytes(header + end)
    before = snapshot(path.parent)
    with pytest.raises(Unreadable, match="several databases"), opened(path):
        pass
    with pytest.raises(Unreadable, match="several databases"):
        refuse_super_journal(path)
    assert ours.read_text() == "precious"
    assert snapshot(path.parent) == before
    with closing(connect(path)) as trusting:  # what it would have done
        trusting.execute("SELECT * FROM notes").fetchall()
    assert not ours.exists()
