"""Strategy *space* at its end: all records were shown, here or elsewhere, and some are taken."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memtend.prune.space import SPACE
from memtend.prune.strategy import DELETE, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtend.prune.decisions import Chosen
    from memtend.prune.scopes import Scope, ScopePart, Scopes


class Taking:
    """Used once. Its figures are complete when `take` has come to its end."""

    def __init__(self, scopes: Scopes | None) -> None:
        self.target_bytes: int | None = None
        self.shielded: Counter[str] = Counter()
        self.notes: list[str] = []
        self._scopes = scopes

    def hear(self, parts: Iterable[ScopePart]) -> None:
        """What was met in one shard."""
        if self._scopes is not None:
            self._scopes.hear(parts)

    def take(self) -> Iterator[Chosen]:
        """What goes: for the agents by name, then for the store."""
        if self._scopes is None:
            return
        taken: set[int] = set()
        store = self._scopes.store
        for _, scope in sorted(self._scopes.agents.items()):
            for chosen in self._from(scope, taken):
                if store is not None:
                    store.freed += chosen[0].size_bytes
                yield chosen
        counted, self.shielded = self.shielded, Counter()
        if store is not None:
            yield from self._from(store, taken)
        self.shielded |= counted  # what the store's limit met, the agents' limits met as well

    def _from(self, scope: Scope, taken: set[int]) -> Iterator[Chosen]:
        if not (need := scope.need_bytes):
            return
        why = scope.why()
        self.target_bytes = (self.target_bytes or 0) + need
        self.shielded += scope.kept - scope.kept_from_rules
        for offer in scope.lowest.in_order():
            if need <= 0:
                return
            if offer.seq in taken:
                continue
            taken.add(offer.seq)
            need -= offer.size_bytes
            said = "of unknown value" if offer.score is None else f"value {offer.score:.2f}"
            yield offer, SPACE, Verdict("lowest-value", DELETE, f"{said}; {why}", offer.score)
        if need > 0:
            self.notes.append(scope.note(need))
