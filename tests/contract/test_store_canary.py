"""Keys on which something is tried are written with it, on every engine."""

from __future__ import annotations

import pytest

from memtend.explain import explain
from memtend.memory import Memory
from memtend.policies import load_policies

HOUR_MS = 3_600_000
FILE = """
namespaces:
  - namespace: session/*
    ttl: 1h
    canary: {ttl: 3h, share: 0.2, trial: 0123456789abcdef0123456789abcdef}
"""


def test_keys_are_written_with_it_and_explained_by_it(memory: Memory) -> None:
    file = load_policies(FILE)
    memory.config.set_policies(file, actor="setup")
    lives = {key: file.policies.resolve("session/a", key).ttl_ms for key in map(str, range(20))}
    assert set(lives.values()) == {HOUR_MS, 3 * HOUR_MS}
    for key, ttl_ms in lives.items():
        memory.put("session/a", key, 1)
        record = memory.read("session/a", key)
        assert record is not None
        assert record.expires_at is not None
        left_ms = record.expires_at.timestamp() * 1_000 - memory.store.clock.now_ms()
        assert left_ms == pytest.approx(ttl_ms, abs=60_000)
        named = (
            "canary of policy 'session/*': 3h" if ttl_ms != HOUR_MS else "policy 'session/*': 1h"
        )
        assert explain(memory, "session/a", key).ttl_from == named
