"""Tasks wait for the lease of somebody who is gone, and not for ever."""

from __future__ import annotations

import pytest

from memtend.errors import LeaseHeld
from memtend_tasks.patience import patient


def held(left_s: float) -> LeaseHeld:
    return LeaseHeld(resource="maintenance", holder="a worker that died", left_s=left_s)


def test_a_lease_that_runs_out_costs_only_time() -> None:
    waiting = [held(0.01), held(0.0)]

    def work() -> str:
        if waiting:
            raise waiting.pop()
        return "done"

    assert patient(work, most_s=5)() == "done"


def test_a_lease_that_lasts_is_not_waited_for() -> None:
    tried = []

    def work() -> None:
        tried.append(1)
        raise held(900.0)

    with pytest.raises(LeaseHeld, match="a worker that died"):
        patient(work)()
    assert len(tried) == 1


def test_a_holder_that_goes_on_is_named_in_the_end() -> None:
    tried = []

    def work() -> None:
        tried.append(1)
        raise held(0.1)

    with pytest.raises(LeaseHeld):
        patient(work, most_s=1.0)()
    assert len(tried) == 2
