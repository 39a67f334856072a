"""114: accesses from which TTLs are learned."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class AccessesUnusable(MemtendError):
    code = 114
    message = "from these accesses no TTL can be learned: {why}"
    hint = "Give the accesses as they were logged, with one row each and times in order."
