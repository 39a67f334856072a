"""Which runs are dead, and which of them begin again. Pure: what was seen goes in.

A run gives a sign of life every `HEARTBEAT_S` seconds. A process that was killed gives none, and
nobody tells the server. What a run that was cut off had begun is finished by running it again: each
operation does what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from memtend.limits_flows import AGAIN_AFTER_S, AGAIN_BACK_S, AGAIN_MAX, BEGIN_S, SILENT_S

BEGUN = frozenset({"RUNNING", "CANCELLING", "PAUSED"})
DIED = "CRASHED"
ASLEEP = "Suspended"
"""The state of a run that waits without a process."""


class Seen(NamedTuple):
    """A run as the server tells it. `since`: of its state; `heard`: its last sign of life.

    Runs of one deployment with the same parameters do the same. `began`: how often. `within`: the
    task run of another run's, as which it was begun there.
    """

    id: UUID
    name: str
    deployment: UUID | None
    parameters: dict[str, Any]
    state: str
    state_name: str
    since: datetime
    due: datetime
    began: int
    heard: datetime | None = None
    within: UUID | None = None


def lost(run: Seen, now: datetime, silent_s: float = SILENT_S, begin_s: float = BEGIN_S) -> bool:
    """Whether nobody is working on a run that looks as if somebody were."""
    if run.state == "PENDING":
        return _silence_s(run, now) > begin_s
    begun = run.state in BEGUN and run.state_name != ASLEEP
    return begun and _silence_s(run, now) > silent_s


def again(runs: Sequence[Seen], now: datetime, after_s: float = AGAIN_AFTER_S) -> Iterable[Seen]:
    """The runs that were cut off and are to begin again, the oldest first.

    Not one that was heard after all, that was cut off too often or too long ago, or in whose place
    another has begun since.
    """
    for run in sorted(runs, key=lambda one: one.due):
        gone_s = (now - run.since).total_seconds()
        due = run.state == DIED and after_s <= gone_s <= AGAIN_BACK_S
        quiet = run.heard is None or run.heard <= run.since
        if due and quiet and may_begin_again(run) and not _replaced(run, runs):
            yield run


def may_begin_again(run: Seen) -> bool:
    """Runs within runs begin again with the outer one, and nothing dies for ever."""
    return run.deployment is not None and run.began <= AGAIN_MAX


def _replaced(run: Seen, runs: Iterable[Seen]) -> bool:
    return any(
        other.due > run.due and other.deployment == run.deployment
        and other.parameters == run.parameters and other.state != "SCHEDULED"
        for other in runs
    )  # fmt: skip


def _silence_s(run: Seen, now: datetime) -> float:
    return (now - max(run.since, run.heard or run.since)).total_seconds()
