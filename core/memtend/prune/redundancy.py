"""Strategy *redundancy*: records that say what another one says; that one takes over their counts.

The one that stays is decided on by no other rule of the same plan. Where it is itself like a third
one, it waits for the next plan: so no chain of resemblances is followed further than one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.prune.strategy import DELETE, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtend.model.candidate import Alike, Candidate
    from memtend.model.prunepolicy import PrunePolicy
    from memtend.prune.strategy import Judge


class Redundancy:
    """`reported` counts near duplicates that the policy does not let go."""

    name = "redundancy"

    def __init__(self, policy: PrunePolicy, alike: Iterable[Alike]) -> None:
        self.reported = 0
        self._extras: dict[int, Alike] = {}
        for one in alike:
            if self._allowed(policy, one):
                self._extras.setdefault(one.seq, one)
            elif one.similarity < 1:
                self.reported += 1
        self.keepers = {one.keeper for one in self._extras.values()}

    @staticmethod
    def _allowed(policy: PrunePolicy, one: Alike) -> bool:
        if one.similarity >= 1:
            return policy.exact_duplicates
        return policy.near_duplicates_from is not None and (
            one.similarity >= policy.near_duplicates_from
        )

    def judge_of(self, _kind: str) -> Judge:
        return self._judge

    def _judge(self, candidate: Candidate) -> Verdict | None:
        if (one := self._extras.get(candidate.seq)) is None:
            return None
        if one.similarity >= 1:
            rule, why = "exact", f"says the same as {one.keeper_path}"
        else:
            rule, why = "near", f"{one.similarity:.1%} the same as {one.keeper_path}"
        return Verdict(rule, DELETE, why, merge_into=one.keeper)
