"""The audit trail forgets names and still proves that nobody else has touched it."""

from __future__ import annotations

import pytest

from memtend.clock import ManualClock
from memtend.errors import AuditBroken
from memtend.memory import Memory
from memtend.store.audit import Entry, check_chain, redacted
from memtend.store.verify import verify_store


@pytest.fixture
def trail() -> Memory:
    memory = Memory.open("sqlite://", clock=ManualClock(), agent="ada")
    for n in range(4):
        memory.put("notes", f"secret{n}", n)
    return memory


def check(memory: Memory) -> int:
    meta = memory.store.meta()
    with memory.store.engine.snapshot() as reader:
        return check_chain(reader, memory.store.key, meta.audit_head, meta.audit_n)


def entry(memory: Memory, n: int) -> Entry:
    return Entry(*memory.store.engine.read("audits", (n - 1, 1))[0][:5])


def save(memory: Memory, changed: Entry) -> None:
    with memory.store.engine.write() as tx:
        tx.run("redact", (changed.actor, changed.detail, changed.n))


@pytest.mark.parametrize("actor", [False, True])
def test_a_redacted_entry_keeps_its_seal(trail: Memory, actor: bool) -> None:
    before = entry(trail, 2)
    fresh = redacted(trail.store.key, before, actor=actor)
    assert "secret1" not in fresh.detail
    assert (fresh.actor == "ada") is not actor
    save(trail, fresh)
    assert check(trail) == 4
    assert redacted(trail.store.key, fresh, actor=actor) == fresh
    trail.put("notes", "more", 1)
    assert check(trail) == 5


def test_only_the_key_can_redact(trail: Memory) -> None:
    forged = redacted(b"x" * 32, entry(trail, 2), actor=False)
    save(trail, forged)
    with pytest.raises(AuditBroken, match="entry 2"):
        check(trail)
    assert any(found.where == "audit" for found in verify_store(trail.store).findings)


def test_a_redaction_belongs_to_its_entry_and_its_place(trail: Memory) -> None:
    key = trail.store.key
    second, third = entry(trail, 2), entry(trail, 3)
    for stolen in (
        third._replace(detail=redacted(key, second, actor=False).detail),
        third._replace(actor=redacted(key, second, actor=True).actor),
        third._replace(detail=redacted(key, third, actor=True).actor),
    ):
        save(trail, stolen)
        with pytest.raises(AuditBroken, match="entry 3"):
            check(trail)
    save(trail, third)
    assert check(trail) == 4


def test_a_name_that_looks_like_a_redaction_is_a_name() -> None:
    odd = "redacted:" + "0" * 32
    with Memory.open("sqlite://", clock=ManualClock(), agent=odd) as memory:
        memory.put("notes", "k", 1)
        assert check(memory) == 1


def test_an_altered_name_is_found(trail: Memory) -> None:
    save(trail, entry(trail, 1)._replace(detail="notes/other"))
    with pytest.raises(AuditBroken, match="entry 1"):
        check(trail)
