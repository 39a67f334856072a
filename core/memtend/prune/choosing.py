"""One pass over the records: each is shown to the strategies in turn, and to the shields if named.

Redundancy comes first, so that counts are summed before anything is judged by them, and space last,
since it takes what the others leave. What others say the same as is decided on by nothing else.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from memtend.limits import ARCHIVE_TTL_LEFT_MS_MIN, ARCHIVE_VALUE_BYTES_MIN
from memtend.prune.parts import scopes_of
from memtend.prune.performance import Performance
from memtend.prune.redundancy import Redundancy
from memtend.prune.shields import Shields
from memtend.prune.space import Space
from memtend.prune.strategy import ARCHIVE
from memtend.prune.timing import Timing
from memtend.prune.value import Value, weighted
from memtend.upcast.family import AML

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtend.model.candidate import Alike, Candidate
    from memtend.prune.decisions import Chosen
    from memtend.prune.parts import PruneFrame
    from memtend.prune.strategy import Judge, Strategy, ValueOf, Verdict

KEEPER: Final = "takes-over-duplicates"


class Chooser:
    """Used once. Its figures are complete when `merges` has come to its end."""

    def __init__(self, frame: PruneFrame, alike: Iterable[Alike], value_of: ValueOf | None) -> None:
        policy, now_ms, wanted = frame.policy, frame.now_ms, frame.strategies
        self.considered = self.unmerged = 0
        self.shielded: Counter[str] = Counter()
        self._now_ms = now_ms
        self._shields = Shields(policy, now_ms, frame.missed)
        value_of = value_of or weighted(policy)
        self._redundancy = Redundancy(policy, alike if "redundancy" in wanted else ())
        self._extras: list[tuple[Candidate, Verdict]] = []
        self._staying: dict[int, int | None] = {}
        self.scopes = scopes_of(frame)
        self._space = None
        if self.scopes is not None:
            self._space = Space(policy, value_of, self._shields, self.scopes)
        judges: list[Strategy] = [Performance(policy), Timing(policy, now_ms)]
        if self._redundancy.keepers:
            judges.insert(0, self._redundancy)
        if policy.value_below is not None:
            judges.append(Value(policy.value_below, policy.value_unused_ms, now_ms, value_of))
        judges = [one for one in judges if one.name in wanted]
        self._judges = {kind: list(_judges_of(kind, judges)) for kind in AML.kinds}
        self._others = list(_judges_of("", judges))

    @property
    def near(self) -> int:
        """How many near duplicates the policy does not let go."""
        return self._redundancy.reported

    def plain(self, candidates: Iterable[Candidate]) -> Iterator[Chosen]:
        """What goes by a rule that looks at one record, in the order of the records."""
        space, keepers = self._space, self._redundancy.keepers
        judges_of, others = self._judges.get, self._others
        for candidate in candidates:
            self.considered += 1
            if candidate.expires_ms is not None and candidate.expires_ms <= self._now_ms:
                continue  # the sweep's
            judges = judges_of(candidate.kind, others)
            found = self._judge(candidate, judges) if judges else None
            if keepers and candidate.seq in keepers:
                self._keep(candidate, KEEPER, named=found is not None)
            elif found is None:
                if space is not None:
                    space.offer(candidate)
            elif shield := self._shields.over(candidate):
                self._keep(candidate, shield, named=True)
            else:
                if space is not None:
                    space.freed(candidate, _freed(candidate, found[1]))
                if found[1].merge_into:
                    self._extras.append((candidate._replace(facts=None), found[1]))
                else:
                    yield candidate, *found

    def merges(self) -> Iterator[Chosen]:
        """When all were seen: what goes into what is there, and lives at least as long."""
        for candidate, verdict in self._extras:
            if _outlives(candidate, verdict.merge_into, self._staying):
                yield candidate, self._redundancy.name, verdict
            else:
                self.unmerged += 1

    def _keep(self, candidate: Candidate, shield: str, *, named: bool) -> None:
        if named:
            self.shielded[shield] += 1
        if shield is KEEPER and candidate.held is None:
            self._staying[candidate.seq] = candidate.expires_ms
        if self._space is not None:
            self._space.kept(candidate, shield, named=named)

    def _judge(
        self, candidate: Candidate, judges: list[tuple[str, Judge]]
    ) -> tuple[str, Verdict] | None:
        for name, judge in judges:
            verdict = judge(candidate)
            if verdict is not None:
                if verdict.action is ARCHIVE and self._ends_soon(candidate):
                    continue
                return name, verdict
        return None

    def _ends_soon(self, candidate: Candidate) -> bool:
        ends_ms = candidate.expires_ms
        return ends_ms is not None and ends_ms < self._now_ms + ARCHIVE_TTL_LEFT_MS_MIN


def _judges_of(kind: str, strategies: list[Strategy]) -> Iterator[tuple[str, Judge]]:
    for one in strategies:
        if judge := one.judge_of(kind):
            yield one.name, judge


def _outlives(extra: Candidate, keeper: int, staying: dict[int, int | None]) -> bool:
    if keeper not in staying:
        return False
    ends_ms = staying[keeper]
    return ends_ms is None or (extra.expires_ms is not None and extra.expires_ms <= ends_ms)


def _freed(candidate: Candidate, verdict: Verdict) -> int:
    """What is archived leaves its address behind, which takes about as much as a small value."""
    if verdict.action is ARCHIVE:
        return max(0, candidate.size_bytes - ARCHIVE_VALUE_BYTES_MIN)
    return candidate.size_bytes
