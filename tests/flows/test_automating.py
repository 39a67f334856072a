"""Who hears is remembered by the server: of what is urgent, and of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient

from memtend_flows.automating import all_automations, automations
from memtend_flows.automations import ALERTS, MARK, STUCK, block_of
from memtend_flows.changes import State, carry_out
from tests.flows.hearing import hearing

NIGHT, DAY = "custom-webhook/night-test", "custom-webhook/day-test"
SOON = {one.name for one in ALERTS if one.urgent}
REST = {one.name for one in ALERTS if not one.urgent}


@pytest.fixture
def client(automated: SyncPrefectClient) -> Iterator[SyncPrefectClient]:
    with hearing("night-test"), hearing("day-test"):
        yield automated


def test_who_hears_goes_on_hearing_and_nobody_else_begins_to(client: SyncPrefectClient) -> None:
    """Whatever was said the first time, a second one without a word changes nothing."""
    for notify, urgent, names in (
        ("none", NIGHT, SOON),
        (None, None, SOON),
        (DAY, None, SOON | REST),
        (None, "none", SOON | REST),
        (DAY, DAY, SOON | REST),
        (NIGHT, None, SOON | REST),
        (None, DAY, SOON | REST),
        ("none", None, set()),
    ):
        carry_out(automations(client, notify, urgent))
        assert set(told(client)) == names
        assert {one.state for one in automations(client)} == {State.UNCHANGED}


def test_what_is_urgent_follows_the_rest_unless_it_went_elsewhere(
    client: SyncPrefectClient,
) -> None:
    day, night = block(client, "day-test"), block(client, "night-test")
    carry_out(automations(client, DAY))
    assert set(told(client).values()) == {day}
    carry_out(automations(client, NIGHT))
    assert set(told(client).values()) == {night}
    carry_out(automations(client, DAY, NIGHT))
    carry_out(automations(client, DAY))
    heard = told(client)
    assert {heard[name] for name in SOON} == {night}
    assert {heard[name] for name in REST} == {day}


def test_one_that_somebody_deleted_comes_again_and_takes_no_other_along(
    client: SyncPrefectClient,
) -> None:
    carry_out(automations(client, DAY, NIGHT))
    [notice] = client.read_automations_by_name("memtend alert notice")
    client.delete_automation(notice.id)
    changed = {one.name: one.state for one in automations(client) if one.do}
    assert changed == {"memtend alert notice": State.NEW}


def told(client: SyncPrefectClient) -> dict[str, UUID]:
    """Which block hears of what."""
    found = {one.name: block_of(one) for one in all_automations(client) if MARK in one.tags}
    assert found.pop(STUCK) is None
    return {name: block for name, block in found.items() if block}


def block(client: SyncPrefectClient, name: str) -> UUID:
    return client.read_block_document_by_name(name, "custom-webhook").id
