"""What may be asked of messages, at the edges."""

from __future__ import annotations

import pytest

from memtend.errors import LimitExceeded
from memtend.messaging import posting
from tests.fixtures.messages import Town, bodies


def test_a_full_swarm_still_has_its_members(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "SWARM_MEMBERS_MAX", 1)
    for _ in range(2):
        town("ada").subscribe("hive")
    with pytest.raises(LimitExceeded):
        town("bob").subscribe("hive")


def test_whole_numbers_may_be_written_as_floats(town: Town) -> None:
    ada, bob = town("ada"), town("bob")
    ada.send("bob", 1, ttl_ms=60_000.0, tries=2.0)  # type: ignore[arg-type]
    [first] = bob.receive(visible_ms=1_000.0)  # type: ignore[arg-type]
    bob.nack(bob.extend(first, 500.0), delay_ms=10.0)  # type: ignore[arg-type]
    town.advance(10)
    assert bodies(bob) == [1]


@pytest.mark.parametrize("wait_s", [float("nan"), float("inf"), -1])
def test_nobody_waits_for_ever(town: Town, wait_s: float) -> None:
    with pytest.raises(LimitExceeded):
        town("bob").receive(wait_s=wait_s)
    with pytest.raises(LimitExceeded):
        town("bob").request("ada", 1, wait_s=wait_s)
    assert town("ada").peek() == []
