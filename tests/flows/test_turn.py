"""The turn to write to a store: taken from a server, waited for, and no matter when embedded."""

from __future__ import annotations

import pytest
from prefect import settings

from memtend_tasks import turn
from memtend_tasks.errors import TurnNotTaken
from memtend_tasks.turn import store_turn
from tests.crash.flows.lane import set_turn

LABEL = "turn-test"


@pytest.fixture
def taken(prefect: None) -> None:
    with store_turn(LABEL):
        pass
    set_turn(LABEL, taken=True)


def test_a_turn_that_another_has_is_waited_for(
    taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as hasty:
        hasty.setattr(turn, "STORE_TURN_WAIT_S", 1)
        with pytest.raises(TurnNotTaken, match=LABEL), store_turn(LABEL):
            pass
    set_turn(LABEL, taken=False)
    with store_turn(LABEL):
        pass


def test_an_embedded_server_gives_no_turns(taken: None) -> None:
    """Whoever was killed there would keep it for ever."""
    embedded = {settings.PREFECT_API_URL: None}
    with settings.temporary_settings(updates=embedded), store_turn(LABEL):
        pass
