"""Trials of times to live: looked at, promoted, taken back."""

from __future__ import annotations

from pydantic import BaseModel

from memtend.model.trial import TrialLook, TrialState
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened
from memtend_tasks.sentence import sentence


class TrialsWatched(BaseModel, frozen=True, extra="forbid"):
    """`looks` say what was found and done; `running` counts what is under way afterwards."""

    operation: str = "trials"
    running: int
    looks: tuple[TrialLook, ...] = ()


@sentence.register
def _(report: TrialsWatched) -> str:
    states = [look.trial.state for look in report.looks]
    counts = ((report.running, "times to live are tuned"),
              (sum(look.verdict == "promote" for look in report.looks), "hold for all keys now"),
              (states.count(TrialState.ROLLED_BACK), "were TAKEN BACK"))  # fmt: skip
    parts = [f"{count:,} {what}" for count, what in counts if count]
    return ", ".join(parts) or "no time to live is being tuned"


@memory_task
def watch_ttl_trials(store: str, dry_run: bool = False) -> TrialsWatched:
    """Promote what has shown to be better, and take back what is regretted. Safe to repeat."""
    with opened(store) as services:
        looks = () if dry_run else services.watch_trials()
        running = sum(one.ended_at is None for one in services.trials())
        return TrialsWatched(running=running, looks=looks)
