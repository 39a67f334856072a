"""Whether what runs here may have run before, in part or to its end.

A run that was cut off begins again under its own id, and so does one that somebody repeats in the
UI. What it left is found by that id.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from prefect import runtime
from prefect.client.orchestration import get_client

from memtend.backup.noted import mark_of


class Origin(NamedTuple):
    """The outermost run of a task, and whether it, or the task, has begun before."""

    run: str
    repeated: bool

    @property
    def mark(self) -> str:
        """How the note of a backup that it takes ends."""
        return mark_of(self.run)


def origin() -> Origin | None:
    """None outside of a run."""
    run, root = runtime.flow_run.id, runtime.flow_run.root_flow_run_id
    if run is None:
        return None
    begun = max(int(runtime.flow_run.run_count), int(runtime.task_run.run_count or 0))
    if root != run:
        with get_client(sync_client=True) as client:
            begun = max(begun, client.read_flow_run(UUID(root)).run_count)
    return Origin(root, begun > 1)
