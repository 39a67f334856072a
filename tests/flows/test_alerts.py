"""Alerts reach whoever is to hear them: what happened, and what did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.settings import get_current_settings

from memtend.alerting.telling import Notice, Why
from memtend.clock import to_datetime
from memtend.model.alert import Alert, AlertLevel, AlertState
from memtend_flows.automating import all_automations, automations
from memtend_flows.automations import MARK
from memtend_flows.automations import URGENT as URGENT_ALERT
from memtend_flows.changes import carry_out
from memtend_flows.trying import send
from memtend_tasks.address import Address
from memtend_tasks.alerts import Events
from memtend_tasks.publish import DRILL_COMPLETED, DRILL_FAILED, announce
from tests.fixtures.cli import Cli
from tests.flows.hearing import change, core, hearing
from tests.flows.seen import eventually

SHORTEST = timedelta(seconds=10)
"""Prefect waits no shorter for what does not come."""


@pytest.fixture(scope="module")
def heard(prefect: None) -> Iterator[list[str]]:
    """What somebody hears who is told of the usual; what waits does so as short as can be."""
    with (
        get_client(sync_client=True) as client,
        hearing("urgent-test") as urgent,
        hearing("usual-test") as bodies,
    ):
        carry_out(automations(client, "custom-webhook/usual-test", "custom-webhook/urgent-test"))
        for made in all_automations(client):
            if isinstance(made.trigger, EventTrigger) and made.trigger.posture is Posture.Proactive:
                quick = made.trigger.model_copy(update={"within": SHORTEST})
                change(client, made, trigger=quick.model_dump())
        URGENT[:] = [urgent]
        yield bodies
        for made in all_automations(client):
            if MARK in made.tags:
                client.delete_automation(made.id)


URGENT: list[list[str]] = []
"""What somebody hears who is told of what cannot wait."""


def test_a_failed_drill_and_an_overdue_one_are_heard_of(heard: list[str]) -> None:
    """One drill passes and no other follows in time; another store's drill fails."""
    announce(DRILL_COMPLETED, store("slow"), {"ok": True})
    announce(DRILL_FAILED, store("broken"), {"ok": False})
    [urgent] = URGENT
    assert eventually(lambda: any("did not pass" in body and "broken" in body for body in urgent))
    assert eventually(lambda: any("too old" in body and "slow" in body for body in urgent))
    assert not any("drill" in body for body in heard)


def test_an_alert_says_what_is_wrong(heard: list[str]) -> None:
    """Opened, and over again; a name that an agent chose calls nobody. Who is told goes by the
    level."""
    [urgent] = URGENT
    hostile = alert("agent <!channel> @all {{ 7 * 7 }}")
    mild = alert("store", AlertLevel.WARNING)
    notices = [Notice(hostile, Why.OPENED), Notice(mild, Why.OPENED)]
    assert Events(store("agents")).tell("agents", notices) is None
    assert eventually(lambda: any("error agent.memory" in body for body in urgent))
    assert any("{{ 7 * 7 }}" in body and "@" not in body and "<" not in body for body in urgent)
    assert eventually(lambda: any("warning agent.memory (store)" in body for body in heard))
    assert not any("warning" in body for body in urgent)
    assert not any("error agent.memory" in body for body in heard)
    Events(store("agents")).tell("agents", [Notice(hostile, Why.RESOLVED)])
    assert eventually(lambda: any("well again" in body and "agents" in body for body in heard))


def test_a_test_says_who_would_hear(
    heard: list[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command: the server takes it, both who hear of alerts are told, and nobody else."""
    monkeypatch.setenv("PREFECT_API_URL", str(get_current_settings().api.url))
    [prefect] = cli("alerts", "test", "--json").json
    assert (prefect["channel"], prefect["why"]) == ("prefect", "")
    told = {one["automation"]: one["sent"] for one in prefect["automations"]}
    assert told == {"memtend alert urgent": True, "memtend alert notice": True}
    assert all(any("This is a test." in body for body in who) for who in (heard, URGENT[0]))


def test_what_is_known_is_told_where_one_says_nothing(heard: list[str]) -> None:
    """An automation that waits for a second event hears of the test, and tells nobody."""
    with get_client(sync_client=True) as client:
        [alert] = client.read_automations_by_name(URGENT_ALERT)
        twice = alert.trigger.model_dump() | {"threshold": 2, "within": timedelta(hours=1)}
        slow = client.create_automation(core(alert, name="twice", tags=[], trigger=twice))
        tried = send(client, "agents", patience_s=5)
        client.delete_automation(slow)
    assert {one.automation: one.sent for one in tried.fires} == {
        "memtend alert urgent": True, "memtend alert notice": True, "twice": None,
    }  # fmt: skip


def test_a_server_that_is_not_there_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "0")
    ran = cli("alerts", "test")
    assert ran.status == 88
    assert "http://127.0.0.1:9/api" in ran.told


def alert(scope: str, level: AlertLevel = AlertLevel.ERROR) -> Alert:
    at = to_datetime(1_750_000_000_000)
    return Alert(
        id="a" * 32, rule="agent.memory", scope=scope, level=level,
        state=AlertState.OPEN, fact="it takes 90 MiB", first_at=at, opened_at=at, last_at=at,
    )  # fmt: skip


def store(label: str) -> Address:
    return Address(f"/srv/{label}.db", f"/srv/{label}.db", label)
