"""What `memtend serve` sets up by itself, as its server tells it."""

from __future__ import annotations

import time

from memtend_flows.schedules import SERVED
from tests.ui.conftest import PATIENCE_MS, Served


def test_what_is_due_is_scheduled(served: Served) -> None:
    """Every flow with a schedule that is not paused has runs ahead."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    wanted = {one.flow.name for one in SERVED if one.active}
    while not (found := scheduled(served)) >= wanted and time.monotonic() < deadline:
        time.sleep(1)
    assert found == wanted


def scheduled(served: Served) -> set[str]:
    """The deployments that have runs ahead of them."""
    names = {number: name for name, number in served.deployments().items()}
    only = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    rows = served.ask("/flow_runs/filter", only)
    return {names[row["deployment_id"]] for row in rows if row["auto_scheduled"]}


def test_nobody_listens_beside_the_server(served: Served) -> None:
    """`serve` sees its runs die by itself; automations meet the server's writers on SQLite."""
    assert served.ask("/automations/filter", {}) == []
