"""A list of changes for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from memtend.cli import show
from memtend_flows.changes import Change, State


def show_changes(changes: Sequence[Change], *, carried_out: bool, json: bool) -> None:
    """What is as it should be is counted; everything else has a line."""
    if json:
        show.emit([change.told() for change in changes])
        return
    rows = [
        (change.kind, change.name, change.state.value, "; ".join(change.what))
        for change in changes
        if change.state is not State.UNCHANGED
    ]
    if rows:
        show.table(("kind", "name", "state", "what"), rows, cut=(1,))
    states = Counter(change.state for change in changes)
    counts = ", ".join(f"{states[state]} {state.value}" for state in State if states[state])
    if not rows:
        show.done(f"everything is as it should be: {counts}")
    elif carried_out:
        show.done(counts)
    else:
        show.note(f"{counts}; nothing was changed: leave out --plan to carry it out")
