"""Somebody on this machine who is told: a small web server, and Prefect's block that names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation, AutomationCore


@contextmanager
def hearing(name: str) -> Iterator[list[str]]:
    """What reaches the block `custom-webhook/NAME`."""
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
        block = CustomWebhookNotificationBlock(name=name, url=url, json_data=data)
        block.save(name, overwrite=True)
        yield bodies
        server.shutdown()


def change(client: SyncPrefectClient, one: Automation, **what: object) -> None:
    """Another description, trigger or the like for an automation that is there."""
    client.update_automation(one.id, core(one, **what))


def core(one: Automation, **what: object) -> AutomationCore:
    """What a server takes, of what it gave."""
    return AutomationCore.model_validate(one.model_dump(exclude={"id", "owner_resource"}) | what)
