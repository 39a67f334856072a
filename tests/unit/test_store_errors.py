"""What an operating system or a database refuses comes out as one of our errors, and no other."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import (
    InvalidSettings,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreUnavailable,
)
from memtend.memory import Memory
from memtend.store.verify import verify_store
from tests.fixtures.stores import run_sql

NS = "a/b"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_another_process_holds_the_write_lock(path: Path, clock: ManualClock) -> None:
    with Memory.open(str(path), clock=clock) as memory:
        memory.store.engine.hurry(50)
        memory.put(NS, "k", 1)
        other = os.open(f"{path}.lock", os.O_RDWR)
        fcntl.flock(other, fcntl.LOCK_EX)
        for _ in range(2):
            with pytest.raises(StoreBusy, match="another process"):
                memory.put(NS, "k", 2)
        assert memory.get(NS, "k") == 1
        fcntl.flock(other, fcntl.LOCK_UN)
        os.close(other)
        memory.put(NS, "k", 3)
        assert memory.get(NS, "k") == 3


def test_another_thread_is_writing(path: Path, clock: ManualClock) -> None:
    with Memory.open(str(path), clock=clock) as memory:
        memory.store.engine.hurry(50)
        begun, end = threading.Event(), threading.Event()

        def write() -> None:
            with memory.store.engine.write():
                begun.set()
                end.wait()

        thread = threading.Thread(target=write)
        thread.start()
        begun.wait()
        with pytest.raises(StoreBusy, match="another thread"):
            memory.put(NS, "k", 1)
        end.set()
        thread.join()
        memory.put(NS, "k", 1)


def test_the_lock_is_waited_for(path: Path, clock: ManualClock) -> None:
    with Memory.open(str(path), clock=clock) as memory:
        other = os.open(f"{path}.lock", os.O_RDWR)
        fcntl.flock(other, fcntl.LOCK_EX)
        threading.Timer(0.05, os.close, [other]).start()
        memory.put(NS, "k", 1)
        assert memory.get(NS, "k") == 1


def test_a_foreign_program_writes_to_the_file(path: Path, clock: ManualClock) -> None:
    with Memory.open(str(path), clock=clock) as memory:
        memory.store.engine.hurry(50)
        foreign = sqlite3.connect(path, isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"):
            memory.put(NS, "k", 1)
        foreign.close()
        memory.put(NS, "k", 1)


def test_no_space_left(path: Path, clock: ManualClock) -> None:
    with Memory.open(str(path), clock=clock) as memory:
        memory.put(NS, "k", 1)
        connection = memory.store.engine._writer.connection  # type: ignore[attr-defined]
        [(pages,)] = connection.execute("PRAGMA page_count").fetchall()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreFull):
            memory.put(NS, "big", "".join(map(chr, range(32, 50_000, 3))) * 5)
        assert memory.get(NS, "k") == 1
        assert memory.delete(NS, "k") is True
        connection.execute("PRAGMA max_page_count = 1000000")
        memory.put(NS, "k", 2)
        assert verify_store(memory.store).ok


def test_a_failed_sync_ends_the_trust_in_a_store(path: Path, clock: ManualClock) -> None:
    memory = Memory.open(str(path), clock=clock)
    memory.put(NS, "k", 1)
    reading, writing = os.pipe()  # a descriptor that cannot be synced
    os.dup2(reading, memory.store.engine._wal_fd)  # type: ignore[attr-defined]
    with pytest.raises(StoreDamaged, match="fsync failed"):
        memory.put(NS, "k", 2)
    with pytest.raises(StoreClosed):
        memory.put(NS, "k", 3)
    os.close(reading)
    os.close(writing)
    with Memory.open(str(path), clock=clock) as again:
        assert again.get(NS, "k") in (1, 2)


def test_a_closed_store(store_url: str, clock: ManualClock) -> None:
    memory = Memory.open(store_url, clock=clock)
    memory.put(NS, "k", 1)
    memory.close()
    memory.close()
    for call in (lambda: memory.get(NS, "k"), lambda: memory.put(NS, "k", 2)):
        with pytest.raises(StoreClosed):
            call()


def test_what_is_no_store(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "text").write_text("this is no database, and long enough to be sure of it\n" * 99)
    with pytest.raises(StoreDamaged):
        Memory.open(str(tmp_path / "text"), clock=clock)
    with pytest.raises(StoreUnavailable):
        Memory.open(str(tmp_path), clock=clock)
    with pytest.raises(InvalidSettings, match="mysql"):
        Memory.open("mysql://host/x", clock=clock)
    with pytest.raises(StoreUnavailable):
        Memory.open("postgresql://nobody@127.0.0.1:1/none", clock=clock)


def test_durability_is_one_of_two(path: Path, clock: ManualClock) -> None:
    with pytest.raises(InvalidSettings, match="durability"):
        Memory.open(str(path), clock=clock, durability="Full")
    with Memory.open(str(path), clock=clock, durability="normal") as memory:
        memory.put(NS, "k", 1)
        assert memory.store.engine._wal_fd < 0  # type: ignore[attr-defined]
    with Memory.open(str(path), clock=clock) as memory:
        assert memory.get(NS, "k") == 1
        memory.put(NS, "k", 2)
        assert memory.store.engine._wal_fd >= 0  # type: ignore[attr-defined]


def test_the_audit_key(tmp_path: Path, clock: ManualClock) -> None:
    key = tmp_path / "own.key"
    url = str(tmp_path / "store.db")
    with Memory.open(url, clock=clock, key_path=str(key)) as memory:
        memory.put(NS, "k", 1)
        assert verify_store(memory.store).ok
    assert key.stat().st_mode & 0o777 == 0o600
    with Memory.open(url, clock=clock) as memory:
        assert not verify_store(memory.store).ok
    key.write_text("short")
    with pytest.raises(InvalidSettings, match="key_path"):
        Memory.open(url, clock=clock, key_path=str(key))


def test_a_postgres_that_ends_a_connection(postgres_url: str, clock: ManualClock) -> None:
    with Memory.open(postgres_url, clock=clock) as memory:
        memory.put(NS, "k", 1)
        with pytest.raises(StoreUnavailable):
            run_sql(memory, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert memory.get(NS, "k") == 1
        memory.put(NS, "k", 2)
        assert memory.get(NS, "k") == 2


def test_closing_where_postgres_has_ended_the_connection(
    postgres_url: str, clock: ManualClock
) -> None:
    """What was counted of reads is lost, and that is no error of whoever is through."""
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    memory = Memory.open(postgres_url, clock=clock)
    memory.put(NS, "k", 1)
    assert memory.get(NS, "k") == 1
    with Memory.open(postgres_url, clock=clock) as other:
        run_sql(other, ending + " AND datname = current_database()")
    memory.close()


def test_a_link_leads_to_the_store_and_not_to_another(path: Path, clock: ManualClock) -> None:
    """One store has one key, one lock and one audit trail, whatever it is called by."""
    Memory.open(str(path), clock=clock).close()
    link = path.parent / "link"
    link.mkdir()
    (link / "by-name.db").symlink_to(path)
    with Memory.open(str(link / "by-name.db"), clock=clock) as memory:
        memory.put(NS, "k", 1)
    with Memory.open(str(path), clock=clock) as memory:
        assert memory.get(NS, "k") == 1
        assert verify_store(memory.store).ok
    assert [found.name for found in link.iterdir()] == ["by-name.db"]
