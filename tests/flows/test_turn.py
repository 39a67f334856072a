"""The turn to write to a store: taken from a server, waited for, and no matter when embedded."""

from __future__ import annotations

import pytest
from prefect import settings
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from memtend_tasks import turn
from memtend_tasks.errors import TurnNotTaken
from memtend_tasks.turn import store_turn, turn_name

LABEL = "turn-test"


@pytest.fixture
def taken(prefect: None) -> None:
    """As a process leaves it that was killed."""
    with store_turn(LABEL):
        pass
    set_slots(1)


def set_slots(number: int) -> None:
    with get_client(sync_client=True) as client:
        slots = GlobalConcurrencyLimitUpdate(active_slots=number)
        client.update_global_concurrency_limit(turn_name(LABEL), slots)


def test_a_turn_that_another_has_is_waited_for(
    taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(turn, "STORE_TURN_WAIT_S", 1)
        with pytest.raises(TurnNotTaken, match=LABEL), store_turn(LABEL):
            pass
    set_slots(0)
    with store_turn(LABEL):
        pass


def test_an_embedded_server_gives_no_turns(taken: None) -> None:
    """Whoever was killed there would keep it for ever."""
    embedded = {settings.PREFECT_API_URL: None}
    with settings.temporary_settings(updates=embedded), store_turn(LABEL):
        pass
