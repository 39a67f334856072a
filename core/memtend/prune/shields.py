"""What no rule may take: held by the store, pinned, important, fresh, asked for, kept by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.model.pattern import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Collection

    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy

ALWAYS_KEPT: Final = ("messages/**", "leases/**")
"""What is below these has rules of its own for how long it stays."""


class Shields:
    """`missed` are paths that were pruned once and asked for since: pruning them was a mistake."""

    def __init__(
        self, policy: PrunePolicy, now_ms: int, missed: Collection[tuple[str, str]]
    ) -> None:
        self._now_ms = now_ms
        self._missed = frozenset(missed)
        self._importance = policy.importance_from
        self._reads = policy.reinforced_reads
        self._reinforced_ms = policy.reinforced_ms
        self._settle_ms = policy.settle_ms
        kept = (*ALWAYS_KEPT, *policy.namespaces_kept)
        self._kept = [compile_pattern(text) for text in kept]
        self._below: dict[str, bool] = {}

    def over(self, candidate: Candidate) -> str | None:
        """The shield over a record, in a word; None where there is none."""
        if candidate.held is not None:
            return candidate.held
        if candidate.pinned:
            return "pinned"
        if candidate.importance >= self._importance:
            return "important"
        if self._now_ms - candidate.written_ms < self._settle_ms:
            return "just-written"
        return self._reinforced(candidate) or ("kept-by-name" if self._is_kept(candidate) else None)

    def _reinforced(self, candidate: Candidate) -> str | None:
        if (candidate.namespace, candidate.key) in self._missed:
            return "missed-before"
        if candidate.accesses < self._reads or candidate.read_ms is None:
            return None
        return "read-often" if self._now_ms - candidate.read_ms < self._reinforced_ms else None

    def _is_kept(self, candidate: Candidate) -> bool:
        namespace = candidate.namespace
        possible = self._below.get(namespace)
        if possible is None:
            possible = any(pattern.may_govern_below(namespace) for pattern in self._kept)
            self._below[namespace] = possible
        if not possible:
            return False
        path = f"{namespace}/{candidate.key}"
        return any(pattern.governs(path) for pattern in self._kept)
