"""What no rule may take: held by the store, pinned, important, fresh, asked for, kept by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.model.pattern import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Collection

    from memtend.model.candidate import Candidate
    from memtend.model.prunepolicy import PrunePolicy

ALWAYS_KEPT: Final = (
    "messages/**", "leases/**", "swarm-*/agent-*/state", "swarm-*/agent-*/heartbeat",
    "swarm-*/agent-*/cursors", "swarm-*/coordination", "swarm-*/global/coordination",
)  # fmt: skip
"""What is below these has rules of its own for how long it stays, or is how agents work together:
seldom written and never read often, but an agent without its state begins anew."""


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
        if candidate.accesses >= self._reads or self._missed:
            return self._reinforced(candidate) or self._named(candidate)
        return None if self._below.get(candidate.namespace) is False else self._named(candidate)

    def _reinforced(self, candidate: Candidate) -> str | None:
        if (candidate.namespace, candidate.key) in self._missed:
            return "missed-before"
        if candidate.accesses < self._reads or candidate.read_ms is None:
            return None
        return "read-often" if self._now_ms - candidate.read_ms < self._reinforced_ms else None

    def _named(self, candidate: Candidate) -> str | None:
        possible = self._below.get(candidate.namespace)
        if possible is None:
            possible = any(one.may_govern_below(candidate.namespace) for one in self._kept)
            self._below[candidate.namespace] = possible
        if not possible:
            return None
        path = f"{candidate.namespace}/{candidate.key}"
        return "kept-by-name" if any(one.governs(path) for one in self._kept) else None
