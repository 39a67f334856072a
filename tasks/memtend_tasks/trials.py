"""Trials of times to live: looked at, promoted, taken back."""

from __future__ import annotations

from pydantic import BaseModel

from memtend.model.trial import TrialLook
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened


class TrialsWatched(BaseModel, frozen=True, extra="forbid"):
    """`looks` say what was found and done; `running` counts what is under way afterwards."""

    operation: str = "trials"
    running: int
    looks: tuple[TrialLook, ...] = ()


@memory_task
def watch_ttl_trials(store: str, dry_run: bool = False) -> TrialsWatched:
    """Promote what has shown to be better, and take back what is regretted. Safe to repeat."""
    with opened(store) as services:
        looks = () if dry_run else services.watch_trials()
        running = sum(one.ended_at is None for one in services.trials())
        return TrialsWatched(running=running, looks=looks)
