"""A year of agents at work, pruned twice a day: what was marked important is there at its end."""

from __future__ import annotations

from collections import Counter
from random import Random

from memtend.model.candidate import Alike, Candidate
from memtend.model.plan import Action
from memtend.model.prunepolicy import DAY_MS, PrunePolicy
from memtend.prune.plan import PrunePlan
from memtend.upcast.facts import Facts, Outcome, Said
from tests.fixtures.candidates import plan

RUNS = 730
RUN_MS = 12 * 3_600_000
BEGAN_MS = 1_800_000_000_000
POLICY = PrunePolicy(
    agent_bytes=110_000,
    store_bytes=300_000,
    near_duplicates_from=0.98,
    value_below=0.3,
    value_unused_ms=20 * DAY_MS,
)


class Year:
    """Four agents learn, try, decide and read. One record in twelve is marked: pinned, important
    or both; marks say nothing of how well it works or how often it is used."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._last = 0
        self.now_ms = BEGAN_MS
        self.live: dict[int, Candidate] = {}
        self.marked: set[int] = set()
        self.rules: Counter[str] = Counter()

    def work(self) -> None:
        """Half a day: new records, reads of old ones, and outcomes of what was tried."""
        self.now_ms += RUN_MS
        for _ in range(4):
            self._remember()
        for one in self._random.sample(sorted(self.live.values()), min(6, len(self.live))):
            tried = self._tried(one.facts)
            self.live[one.seq] = one._replace(
                accesses=one.accesses + 1, read_ms=self.now_ms, facts=tried
            )

    def prune(self) -> None:
        made = plan(
            self.live.values(), POLICY, now_ms=self.now_ms, alike=self._alike(),
            missed={("team", f"k{seq}") for seq in range(0, self._last, 97)},
        )  # fmt: skip
        self._apply(made)

    def _remember(self) -> None:
        self._last += 1
        random, seq = self._random, self._last
        pinned, importance = random.random() < 0.04, round(random.betavariate(3, 4), 2)
        if random.random() < 0.05:
            importance = random.choice([0.8, 0.9, 1.0])
        kind = random.choice(["pattern", "solution", "decision", "note"])
        self.live[seq] = Candidate(
            seq=seq, namespace="team", key=f"k{seq}", kind=kind, agent=random.choice("abcd"),
            importance=importance, confidence=random.choice([None, round(random.random(), 2)]),
            success_count=None, failure_count=None, pinned=pinned, created_ms=self.now_ms,
            written_ms=self.now_ms, expires_ms=None, read_ms=None, accesses=0,
            size_bytes=random.randrange(200, 2_000), archived=False, facts=self._facts(kind),
        )  # fmt: skip
        if pinned or importance >= POLICY.importance_from:
            self.marked.add(seq)

    def _facts(self, kind: str) -> Facts | None:
        if kind == "note":
            return None
        random = self._random
        again = Outcome(random.choice([None, True, False]), {}, ()) if kind == "decision" else None
        worked = random.choice([None, True, True, False]) if kind == "solution" else None
        made = Facts("2.0.0", random.random() > 0.05, self.now_ms, worked=worked, outcome=again)
        return made._replace(success_rate=random.random(), executions=0)

    def _tried(self, facts: Facts | Said | None) -> Facts | Said | None:
        if not isinstance(facts, Facts) or facts.executions is None:
            return facts
        return facts._replace(executions=facts.executions + 1, last_used_ms=self.now_ms)

    def _alike(self) -> list[Alike]:
        """Some say what an older one says, marked or not."""
        seqs = sorted(self.live)
        extras = [seq for seq in seqs if seq % 29 == 0]
        return [
            Alike(seq, seqs[0], "team/k", self._random.choice([0.9, 0.99, 1])) for seq in extras
        ]

    def _apply(self, made: PrunePlan) -> None:
        for one in made.decisions:
            self.rules[one.rule] += 1
            if one.action is Action.DELETE:
                del self.live[one.seq]
            else:
                self.live[one.seq] = self.live[one.seq]._replace(archived=True, size_bytes=256)


def test_what_was_marked_is_all_there_after_730_runs() -> None:
    year = Year(seed=5)
    for _ in range(RUNS):
        year.work()
        year.prune()
    assert len(year.marked) > 100
    assert year.marked <= year.live.keys()
    assert len(year.live) < year.rules.total()
    assert {
        "time.unused-patterns", "time.old-decisions", "time.failed-patterns",
        "performance.low-success", "performance.low-confidence", "performance.obsolete-solutions",
        "performance.negative-decisions", "redundancy.exact", "redundancy.near",
        "value.low-value", "space.lowest-value",
    } == year.rules.keys()  # fmt: skip
