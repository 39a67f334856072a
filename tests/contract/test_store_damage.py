"""Damage: never read as if it were sound, and always found by a verification."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ormsgpack
import pytest
import zstandard

from memtend.clock import ManualClock
from memtend.codec.envelope import path_of, prefix_of, row_hash
from memtend.drafting import Put
from memtend.errors import MemtendError, RecordDamaged, StoreDamaged
from memtend.limits import SWEEP_MARGIN_MS
from memtend.memory import Memory
from memtend.model.policy import Policy
from memtend.model.query import Query
from memtend.model.record import Labels
from memtend.store import catalog, leases
from memtend.store.expiry import drop_expired, expired
from memtend.store.meta import crc_of
from memtend.store.verify import verify_store
from tests.fixtures.stores import beside, blob, run_sql, set_policies
from tests.fixtures.verifying import timeless, verify_together

NS = "a/b"


@pytest.fixture
def full(damageable: Memory, clock: ManualClock) -> Memory:
    """A store with something in every table."""
    memory = damageable
    set_policies(memory, Policy(pattern="log/**", ttl_ms=1_000))
    memory.put(NS, "k", {"a": 1}, labels=Labels(kind="fact", tags=("t", "u"), agent="a",
                                                session="s", writer="w"))  # fmt: skip
    memory.put(NS, "big", "text " * 1_000)
    memory.put("gone", "k", 1, ttl_ms=10)
    memory.put(NS, "op", 1, op_id="op")
    memory.increment(NS, "n", 5)
    memory.add(NS, "s", "element")
    memory.delete(NS, "op")
    memory.get(NS, "k")
    clock.advance(10 + SWEEP_MARGIN_MS)
    drop_expired(memory.store, [row.seq for row in expired(memory.store, 9)], actor="sweep")
    memory.config.grant("scout", "**", "read", "operator")
    leases.release(memory.store, leases.acquire(memory.store, "work", "me", 1_000))
    catalog.record(memory.store, catalog.Entry("m", "url", 1, 2, 3, 4, "root"), "backup")
    row = ("note", b"dictionary", 1)
    with memory.store.engine.write() as tx:
        tx.fetch("add_dictionary", (*row, crc_of(row)))
    memory.flush()
    assert verify_store(memory.store).ok
    return memory


def verified(memory: Memory) -> int:
    memory.store.namespaces.ids.clear()
    memory.store.namespaces.paths.clear()
    report = verify_store(memory.store)
    with suppress(StoreDamaged):  # without its meta row there is nothing to share
        shared = verify_together(memory.store)
        assert shared is None or timeless(shared) == timeless(report)
    return report.damage_count


K = "WHERE key = 'k' AND ns = (SELECT id FROM namespace WHERE path = 'a/b')"
DAMAGE = {
    "namespace": f"UPDATE sibling SET ns = (SELECT id FROM namespace WHERE path = 'gone') {K}",
    "unknown namespace": f"UPDATE sibling SET ns = 99 {K}",
    "key": f"UPDATE sibling SET key = 'j' {K}",
    "field": f"UPDATE sibling SET field = 'f' {K}",
    "replica": f"UPDATE sibling SET r = 2 {K}",
    "event number": f"UPDATE sibling SET n = 99 {K}",
    "deadline": f"UPDATE sibling SET exp = 5 {K}",
    "deadline before time": f"UPDATE sibling SET exp = -1 {K}",
    "flags": f"UPDATE sibling SET flags = 2 {K}",
    "quarantine": f"UPDATE sibling SET flags = 256 {K}",
    "kind": f"UPDATE sibling SET kind = 'x' {K}",
    "agent": f"UPDATE sibling SET agent = NULL {K}",
    "writer": f"UPDATE sibling SET writer = 'x' {K}",
    "content": f"UPDATE sibling SET content = content + 1 {K}",
    "size": f"UPDATE sibling SET size = size + 1 {K}",
    "sequence": f"UPDATE sibling SET seq = 999 {K}",
    "lost record": f"DELETE FROM sibling {K}",
    "extra tag": "INSERT INTO tag (tag, seq) VALUES ('x', 1)",
    "tag of nothing": "INSERT INTO tag (tag, seq) VALUES ('t', 99)",
    "lost tag": "DELETE FROM tag WHERE tag = 'u'",
    "tally rows": "UPDATE tally SET rows = rows + 1 WHERE scope = 'ns' AND name = 'a/b'",
    "tally bytes": "UPDATE tally SET size = size - 1 WHERE scope = 'agent'",
    "lost tally": "DELETE FROM tally WHERE scope = 'session'",
    "extra tally": "INSERT INTO tally (scope, name, rows, size) VALUES ('agent', 'x', 1, 1)",
    "meta": "UPDATE meta SET hlc = hlc + 1",
    "meta rows": "UPDATE meta SET rows = rows + 1",
    "lost meta": "DELETE FROM meta",
    "audit detail": "UPDATE audit SET detail = 'x' WHERE n = 2",
    "audit time": "UPDATE audit SET at_ms = at_ms + 1 WHERE n = 2",
    "audit dropped": "DELETE FROM audit WHERE n = 2",
    "audit cut off": "DELETE FROM audit WHERE n > 3",
    "audit emptied": "DELETE FROM audit",
    "audit longer": "INSERT INTO audit (n, at_ms, action, actor, detail, seal) "
    "SELECT n + 1, at_ms, action, actor, detail, seal FROM audit ORDER BY n DESC LIMIT 1",
    "log event": "UPDATE log SET n = n + 1",
    "log reason": "UPDATE log SET why = 'x' WHERE why = 'swept'",
    "lease": "UPDATE lease SET n = 0",
    "setting": "UPDATE setting SET value = '{}' WHERE name = 'policies'",
    "access": "UPDATE access SET count = 99",
    "replica row": "UPDATE replica SET seen = 5",
    "replica id": "UPDATE replica SET id = '00000000000000000000000000000000'",
    "grant": "UPDATE access_grant SET agent = '*'",
    "operation": "UPDATE op SET result = '[]'",
    "catalog": "UPDATE catalog SET root = 'x'",
    "dictionary": "UPDATE dictionary SET kind = 'x'",
    "namespace path": "UPDATE namespace SET path = 'a/c' WHERE path = 'a/b'",
    "path of a namespace without records": "UPDATE namespace SET path = 'was' WHERE path = 'gone'",
    "extra namespace": "INSERT INTO namespace (id, path, contested) VALUES (77, 'x', 0)",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE.keys())
def test_every_damage_is_found(full: Memory, statement: str) -> None:
    run_sql(full, statement)
    assert verified(full) >= 1


@pytest.mark.parametrize("column", ["body", "value", "hash"])
def test_changed_bytes_are_found_and_never_read(full: Memory, column: str) -> None:
    for key in ("k", "big", "n"):
        [(data,)] = run_sql(full, f"SELECT {column} FROM sibling WHERE key = '{key}'")
        for at in (0, len(data) // 2, len(data) - 1):
            bad = bytearray(data)
            bad[at] ^= 0x10
            change = f"UPDATE sibling SET {column} = %s WHERE key = '{key}'"
            run_sql(full, change % blob(full, bytes(bad)))
            assert verified(full) >= 1
            assert_unreadable(full, key)
            run_sql(full, change % blob(full, bytes(data)))
    assert verified(full) == 0


@pytest.mark.parametrize("change", ["flags = 1", "flags = 3", "flags = 15", "flags = 16",
                                    "flags = 256", "flags = -1", "flags = 99999999999",
                                    "exp = 99999999999999", "exp = -1"])  # fmt: skip
def test_changed_flags_and_deadlines_are_never_believed(full: Memory, change: str) -> None:
    run_sql(full, f"UPDATE sibling SET {change} {K}")
    assert_unreadable(full, "k")


def assert_unreadable(memory: Memory, key: str) -> None:
    for read in (memory.get, memory.read, memory.siblings):
        with pytest.raises(RecordDamaged):
            read(NS, key)
    for read_many in (lambda: memory.get_many(NS, [key]), lambda: memory.scan(NS)):
        with pytest.raises(RecordDamaged):
            read_many()
    with pytest.raises(RecordDamaged):
        memory.search(Query(namespace=NS))


def test_values_of_another_type_are_damage(tmp_path: Any, clock: ManualClock) -> None:
    """SQLite stores what it is told: a flipped bit can make text of bytes."""
    for change in ("value = 'text'", "body = 'text'", "hash = 'text'", "exp = 'text'",
                   "body = NULL", "flags = 'text'", "body = 7"):  # fmt: skip
        with Memory.open(f"sqlite:///{tmp_path}/{hash(change)}.db", clock=clock) as memory:
            memory.put(NS, "k", 1)
            memory.put(NS, "sound", 1)
            engine = memory.store.engine
            engine.script("PRAGMA writable_schema = ON")
            engine.script(
                "UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '') WHERE name='sibling'"
            )
        with Memory.open(f"sqlite:///{tmp_path}/{hash(change)}.db", clock=clock) as memory:
            run_sql(memory, f"UPDATE sibling SET {change} WHERE key = 'k'")
            assert_unreadable(memory, "k")
            report = verify_store(memory.store)
            assert report.damage_count >= 1
            assert report.rows == 2
            assert memory.get(NS, "sound") == 1


def test_a_damaged_sibling_hides_behind_no_other(full: Memory) -> None:
    beside(full, NS, "k", "sound")
    run_sql(full, f"UPDATE sibling SET value = {blob(full, b'1')} WHERE kind = 'fact'")
    assert_unreadable(full, "k")


def test_a_damaged_record_can_be_replaced_and_deleted(full: Memory) -> None:
    for change in (lambda key: full.put(NS, key, "new"), lambda key: full.delete(NS, key)):
        for key in ("k", "big"):
            run_sql(full, f"UPDATE sibling SET body = {blob(full, b'x')} WHERE key = '{key}'")
            change(key)
            assert full.get(NS, key) in ("new", None)


def rewrite(memory: Memory, key: str, flags: int, body: bytes, value: bytes) -> None:
    """A row with a sound hash: what somebody writes who knows the format."""
    digest = row_hash(prefix_of(NS), path_of(key, ""), flags, None, body, value)
    data = [blob(memory, one) for one in (body, value, digest)]
    run_sql(
        memory,
        f"UPDATE sibling SET flags = {flags}, body = {data[0]}, value = {data[1]}, "
        f"hash = {data[2]} WHERE key = '{key}'",
    )


def test_hostile_rows_with_a_sound_hash(full: Memory) -> None:
    [(good,)] = run_sql(full, "SELECT body FROM sibling WHERE key = 'big'")
    parts = ormsgpack.unpackb(bytes(good))

    def body(**changes: Any) -> bytes:
        at = {"format": 0, "type": 4, "size": 6, "tags": 11, "dictionary": 19}
        changed = list(parts)
        for name, value in changes.items():
            changed[at[name]] = value
        return ormsgpack.packb(changed)

    text = b'"' + b"text " * 1_000 + b'"'
    bomb = zstandard.ZstdCompressor().compress(b" " * 50_000_000)
    rows = [
        (2, body(), bomb), (2, body(size=50_000_000), bomb), (2, body(size=-1), bomb),
        (2, body(), b"no frame"), (2, body(), b""), (1, body(), b"no gzip"),
        (1, body(), gzip.compress(b" " * 50_000_000)), (1, body(), gzip.compress(text)[:50]),
        (0, body(), b"{not json"), (9, body(), text), (3, body(dictionary=99), text),
        (3, body(), zstandard.ZstdCompressor().compress(b"x" * 9)), (2, b"", text),
        (2, b"\xc1", text), (2, ormsgpack.packb([1]), text), (2, ormsgpack.packb(7), text),
        (2, body(format=2), text), (2, body(tags=5), text), (2, body(size="x"), text),
        (2, body(size=None), text),
    ]  # fmt: skip
    for flags, packed, value in rows:
        rewrite(full, "big", flags, packed, value)
        with pytest.raises(RecordDamaged):
            full.get(NS, "big")
        assert verified(full) >= 1
    rewrite(full, "big", 1, body(), gzip.compress(text))
    assert full.get(NS, "big") == "text " * 1_000


@pytest.mark.parametrize(
    "statement",
    ["UPDATE meta SET n = 7",
     "UPDATE setting SET value = '{' WHERE name = 'policies'",
     "UPDATE setting SET value = '{}' WHERE name = 'policies'",
     "UPDATE access_grant SET pattern = 'gone'"],
)  # fmt: skip
def test_a_store_whose_own_rows_are_damaged_is_not_trusted(
    lasting_url: str, clock: ManualClock, statement: str
) -> None:
    with Memory.open(lasting_url, clock=clock) as memory:
        set_policies(memory, Policy(pattern="a/**", ttl_ms=1_000))
        memory.config.grant("scout", "**", "read", "operator")
        run_sql(memory, statement)
    with pytest.raises(StoreDamaged):
        Memory.open(lasting_url, clock=clock)


def test_bytes_that_are_no_text(tmp_path: Any, clock: ManualClock) -> None:
    with Memory.open(f"sqlite:///{tmp_path}/s.db", clock=clock) as memory:
        memory.put_many([Put(NS, "k", 1), Put(NS, "j", 1)])
        run_sql(memory, "UPDATE sibling SET key = CAST(X'ff' AS TEXT) WHERE key = 'k'")
        reads: list[Callable[[], Any]] = [lambda: memory.scan(NS), lambda: memory.search(Query())]
        for read in reads:
            with pytest.raises(MemtendError):
                read()
        assert verify_store(memory.store).damage_count >= 1
