"""Values compressed with a dictionary trained on their kind, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from memtend import Labels, Memory
from memtend.codec import canonical
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.errors import InvalidValue
from memtend.store import dictionaries
from memtend.store.change import Old

STEPS = ("plan", "build", "test", "review", "release", "retry", "wait", "done")


def progress(n: int) -> dict[str, Any]:
    """Agent-like JSON above the compression threshold; no two are alike."""
    notes = [f"step {STEPS[(n * k) % 8]} of task {n} took {n * k % 977} ms" for k in range(30)]
    return {"task": f"task-{n}", "status": STEPS[n % 8], "notes": notes, "attempt": n % 5}


def stored(memory: Memory, key: str) -> Old:
    ns = memory.store.namespaces.find("agent/a")
    assert ns is not None
    return Old._make(memory.store.engine.read("old", (ns[0], key, ""))[0])


def train(memory: Memory, kind: str = "progress") -> int:
    texts = [canonical.encode(progress(n)) for n in range(200)]
    return dictionaries.train(memory.store, kind, texts, actor="owner")


def test_values_of_the_kind_become_smaller_and_come_back(memory: Memory) -> None:
    labels = Labels(kind="progress")
    memory.put("agent/a", "before", progress(900), labels=labels)
    number = train(memory)
    memory.put("agent/a", "after", progress(900), labels=labels)
    memory.put("agent/a", "other", progress(900), labels=Labels(kind="note"))
    before, after, other = (stored(memory, key) for key in ("before", "after", "other"))
    assert codec_of(after.flags) == Codec.ZSTD_DICT
    assert codec_of(before.flags) == codec_of(other.flags) == Codec.ZSTD
    assert after.size < before.size
    body = after.unpacked()
    assert body is not None
    assert body.dictionary == number
    for key in ("before", "after", "other"):
        assert memory.get("agent/a", key) == progress(900)


def test_a_new_dictionary_leaves_old_rows_readable(memory: Memory) -> None:
    labels = Labels(kind="progress")
    first = train(memory)
    memory.put("agent/a", "old", progress(1), labels=labels)
    second = train(memory)
    memory.put("agent/a", "new", progress(2), labels=labels)
    assert second > first
    assert memory.get("agent/a", "old") == progress(1)
    assert memory.get("agent/a", "new") == progress(2)


@pytest.mark.parametrize("texts", [[], [b'{"n": 1}'] * 10])
def test_too_few_samples_are_refused(memory: Memory, texts: list[bytes]) -> None:
    with pytest.raises(InvalidValue):
        dictionaries.train(memory.store, "note", texts, actor="owner")
