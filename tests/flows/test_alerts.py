"""Alerts reach whoever is to hear them: what happened, and what did not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client

from memtend.alerting.telling import Notice, Why
from memtend.clock import to_datetime
from memtend.model.alert import Alert, AlertLevel, AlertState
from memtend_flows.alerts import ALERTS, main, set_alerts
from memtend_tasks.address import Address
from memtend_tasks.alerts import Events
from memtend_tasks.publish import DRILL_COMPLETED, DRILL_FAILED, announce
from tests.flows.seen import eventually

BLOCK = "custom-webhook/alerts-test"
SHORTEST = timedelta(seconds=10)
"""Prefect waits no shorter for what does not come."""


@pytest.fixture
def heard(prefect: None) -> Iterator[list[str]]:
    """Bodies that a local receiver got through the notification block."""
    bodies: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            bodies.append(str(json.loads(text)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        data = {"subject": "{{subject}}", "body": "{{body}}"}
        CustomWebhookNotificationBlock(name="alerts-test", url=url, json_data=data).save(
            "alerts-test", overwrite=True
        )
        yield bodies
        server.shutdown()
    with get_client(sync_client=True) as client:
        for alert in ALERTS:
            for automation in client.read_automations_by_name(alert.name):
                client.delete_automation(automation.id)


def test_a_failed_drill_and_an_overdue_one_are_heard_of(heard: list[str]) -> None:
    """One drill passes and no other follows in time; another store's drill fails."""
    quick = [alert._replace(within=alert.within and SHORTEST) for alert in ALERTS]
    set_alerts(BLOCK, quick)
    announce(DRILL_COMPLETED, store("slow"), {"ok": True})
    announce(DRILL_FAILED, store("broken"), {"ok": False})
    assert eventually(lambda: any("did not pass" in body and "broken" in body for body in heard))
    assert eventually(lambda: any("too old" in body and "slow" in body for body in heard))


def test_an_alert_says_what_is_wrong(heard: list[str]) -> None:
    """Opened, and over again; a name that an agent chose calls nobody."""
    set_alerts(BLOCK, ALERTS)
    hostile = alert("agent <!channel> @all {{ 7 * 7 }}")
    assert Events(store("agents")).tell("agents", [Notice(hostile, Why.OPENED)]) is None
    assert eventually(lambda: any("error agent.memory" in body for body in heard))
    assert any("{{ 7 * 7 }}" in body and "@" not in body and "<" not in body for body in heard)
    Events(store("agents")).tell("agents", [Notice(hostile, Why.RESOLVED)])
    assert eventually(lambda: any("well again" in body and "agents" in body for body in heard))


def test_alerts_are_set_once(heard: list[str]) -> None:
    """Run again, the program replaces what it made."""
    assert main([BLOCK]) == main([BLOCK]) == 0
    with get_client(sync_client=True) as client:
        assert all(len(client.read_automations_by_name(alert.name)) == 1 for alert in ALERTS)
        found = client.read_automations_by_name("memtend drill overdue")[0]
    assert found.trigger.model_dump()["within"] == timedelta(hours=24)


def test_a_block_that_is_not_there_is_named(
    prefect: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["slack-webhook/nobody"]) == 1
    assert "slack-webhook/nobody" in capsys.readouterr().err


def alert(scope: str) -> Alert:
    at = to_datetime(1_750_000_000_000)
    return Alert(
        id="a" * 32, rule="agent.memory", scope=scope, level=AlertLevel.ERROR,
        state=AlertState.OPEN, fact="it takes 90 MiB", first_at=at, opened_at=at, last_at=at,
    )  # fmt: skip


def store(label: str) -> Address:
    return Address(f"/srv/{label}.db", f"/srv/{label}.db", label)
