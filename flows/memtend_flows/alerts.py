"""Alerts, as automations of the Prefect server: `python -m memtend_flows.alerts slack-webhook/ops`.

The argument names a notification block that exists. Run again, it puts the same alerts in place of
the old ones. An automation that waits for what does not come (`overdue`) starts with the first
time that it came: until then the `health` flow is what says that there is no drill or backup.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from prefect.client.orchestration import get_client
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound
from rich.console import Console

from memtend.limits import BACKUP_OVERDUE_MS, DRILL_AGE_MAX_MS
from memtend_tasks.publish import (
    ALERT_OPENED,
    ALERT_RAISED,
    ALERT_REMINDED,
    ALERT_RESOLVED,
    BACKUP_COMPLETED,
    DRILL_COMPLETED,
    DRILL_FAILED,
    MIGRATION_FAILED,
    STORE_DAMAGED,
)

STORES = "memtend.store.*"
RESOURCE = "prefect.resource.id"
RETIRED = ("memtend store unhealthy",)
"""Automations that earlier versions made. Alerts say the same once, and not at every check."""
DETAILS = (
    "{{ event.payload.level }} {{ event.payload.rule }} ({{ event.payload.scope }}): "
    "{{ event.payload.fact }}\n{{ event.payload.hint }}"
)


class Alert(NamedTuple):
    """`within` None: when one of the events comes. Otherwise: when it has not come again by then.

    `details` is a template over the event.
    """

    name: str
    event: str | frozenset[str]
    says: str
    within: timedelta | None = None
    details: str = ""

    def automation(self, block_id: str) -> AutomationCore:
        proactive = self.within is not None
        events = {self.event} if isinstance(self.event, str) else set(self.event)
        lines = (self.says, self.details, "Store: {{ event.resource.name }}")
        trigger = EventTrigger(
            match={RESOURCE: STORES},
            for_each={RESOURCE},
            after=events if proactive else set(),
            expect=events,
            posture=Posture.Proactive if proactive else Posture.Reactive,
            threshold=1,
            within=self.within or timedelta(0),
        )
        action = SendNotification(
            block_document_id=block_id,
            subject=f"memtend: {self.name.removeprefix('memtend ')}",
            body="\n".join(line for line in lines if line),
        )
        return AutomationCore(
            name=self.name, description=self.says, enabled=True, trigger=trigger, actions=[action]
        )


ALERTS = (
    Alert(
        "memtend drill overdue",
        DRILL_COMPLETED,
        "The last good drill is too old: whether the backups can be restored is not known.",
        timedelta(milliseconds=DRILL_AGE_MAX_MS),
    ),
    Alert(
        "memtend drill failed",
        DRILL_FAILED,
        "The newest backup did not pass its drill. Open the run's report; keep older backups.",
    ),
    Alert(
        "memtend backup overdue",
        BACKUP_COMPLETED,
        "No backup has been completed for too long.",
        timedelta(milliseconds=BACKUP_OVERDUE_MS),
    ),
    Alert(
        "memtend migration failed",
        MIGRATION_FAILED,
        "A migration was stopped. The report of the run says why; running it again finishes it.",
    ),
    Alert(
        "memtend store damaged",
        STORE_DAMAGED,
        "A verification found damage. The report of the run says what and where.",
    ),
    Alert(
        "memtend alert",
        frozenset({ALERT_OPENED, ALERT_RAISED, ALERT_REMINDED}),
        "A check of the alerts found something wrong.",
        details=DETAILS,
    ),
    Alert(
        "memtend alert resolved",
        ALERT_RESOLVED,
        "What was wrong is well again.",
        details=DETAILS,
    ),
)


def set_alerts(block: str, alerts: Sequence[Alert] = ALERTS) -> None:
    """Put the alerts on the server in place of those of the same names."""
    kind, _, name = block.partition("/")
    with get_client(sync_client=True) as client:
        block_id = client.read_block_document_by_name(name, kind).id
        for name in (*RETIRED, *(alert.name for alert in alerts)):
            for old in client.read_automations_by_name(name):
                client.delete_automation(old.id)
        for alert in alerts:
            client.create_automation(alert.automation(str(block_id)))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m memtend_flows.alerts", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "block", help="TYPE/NAME of a notification block, such as slack-webhook/ops"
    )
    block = parser.parse_args(arguments).block
    talk = Console(stderr=True, highlight=False)
    try:
        set_alerts(block)
    except ObjectNotFound:
        talk.print(f"[red]there is no block {block}[/]: make it under Blocks, then name it here")
        return 1
    for alert in ALERTS:
        talk.print(f"[green]✓[/] {alert.name}: {alert.says}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
