"""How tasks ended, read for learning: every swarm's outcomes, in both dialects, the latest.

Who wrote a record is what the store says, not what the record says of itself. Quarantined records
are out of sight here as everywhere; what cannot be read is left out and counted.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.errors import ArchiveUnreachable, InvalidValue, RecordDamaged
from memtend.model.ended import Ended
from memtend.model.layout import OUTCOMES
from memtend.model.scenario import Scenario, of_swarm, of_task
from memtend.serving.base import Serving
from memtend.store.seen import newest

if TYPE_CHECKING:
    from memtend.store.seen import Seen

_PAGE: Final = 500
_TRUSTED: Final = "trusted"


class OutcomesSeen(NamedTuple):
    """In the order of time. `left_out` counts, by reason, what is not among the rows."""

    rows: list[Ended]
    left_out: dict[str, int]


class Outcomes(Serving):
    def outcomes_for_learning(self) -> OutcomesSeen:
        """The latest outcomes of all swarms, as many as the policy says."""
        most = self.memory.config.file.learn.outcomes_max
        left_out: Counter[str] = Counter()
        latest: list[tuple[int, str, Ended]] = []
        for one in self._ended(left_out):
            item = (one.at_ms, one.outcome_id, one)
            if len(latest) < most:
                heapq.heappush(latest, item)
            else:
                heapq.heappushpop(latest, item)
                left_out["older than the latest"] += 1
        rows = [one for _, _, one in sorted(latest, key=itemgetter(0, 1))]
        return OutcomesSeen(rows, dict(left_out))

    def all_scenarios(self, seen: OutcomesSeen) -> list[Scenario]:
        """What there are outcomes of, the largest first: everything, types of tasks, swarms."""
        tasks = Counter(row.task_type for row in seen.rows)
        swarms = Counter(row.swarm for row in seen.rows if row.swarm is not None)
        found = [of_task(name) for name, _ in tasks.most_common()]
        return [Scenario(), *found, *(of_swarm(name) for name, _ in swarms.most_common())]

    def _ended(self, left_out: Counter[str]) -> Iterator[Ended]:
        self.memory.flush()
        found = self.store.namespaces.find(OUTCOMES)
        if found is None:
            return
        reads = self.memory._reads
        for page in reads.whole_keys(OUTCOMES, found[0], "", "", _PAGE):
            for key, group in groupby(page, key=itemgetter(0)):
                try:
                    seen = reads.siblings(OUTCOMES, key, [row[1:6] for row in group], cold=False)
                    own = reads.views.own(OUTCOMES, key, seen)
                    if own:
                        yield _ended(reads.thawed(OUTCOMES, key, newest(own)))
                except RecordDamaged:
                    left_out["damaged"] += 1
                except ArchiveUnreachable:
                    left_out["in an archive that cannot be reached"] += 1
                except InvalidValue:
                    left_out["not an outcome"] += 1


def _ended(seen: Seen) -> Ended:
    from memtend.agent.outcome import Outcome  # noqa: PLC0415

    value = seen.value
    if not isinstance(value, dict):
        raise InvalidValue(name="outcome", why="it is no object")
    outcome, body = Outcome.of(value), seen.body
    return Ended(
        outcome_id=outcome.outcome_id,
        at_ms=outcome.at_ms,
        task_type=outcome.task_type,
        result=str(outcome.outcome_type),
        strategy=outcome.strategy,
        propensity=outcome.propensity,
        score=outcome.success_score,
        duration_s=outcome.duration_s,
        cost=outcome.cost,
        context=outcome.context,
        agents=outcome.agents_involved,
        swarm=outcome.swarm_id,
        writer=body.writer or outcome.recorded_by,
        trusted=str(body.trust) == _TRUSTED,
    )
