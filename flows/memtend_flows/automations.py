"""Automations of the Prefect server: who hears of what, and what is done about runs that died.

`memtend deploy` makes them. Each works for every store of the server by itself, and only for runs
and events of ours. One that waits for what does not come (`overdue`) starts with the first time
that it came: until then the `health` flow is what says that there is no drill or backup.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from memtend.limits import BACKUP_OVERDUE_MS, DRILL_AGE_MAX_MS
from memtend.limits_flows import RUN_TOLD_AGAIN_S, SILENT_S
from memtend.model.alert import AlertLevel
from memtend_tasks.publish import (
    ALERT_OPENED,
    ALERT_RAISED,
    ALERT_REMINDED,
    ALERT_RESOLVED,
    ALERT_TEST,
    BACKUP_COMPLETED,
    DRILL_COMPLETED,
    DRILL_FAILED,
    LEVEL,
    MIGRATION_FAILED,
    RUN_REFUSED,
    STORE_DAMAGED,
    TEST,
)
from memtend_tasks.runs import HEARTBEAT, TAG

MARK: Final = "memtend-deploy"
"""The tag of what `memtend deploy` has made, and may change and delete. Nothing else is touched."""
RETIRED: Final = ("memtend store unhealthy", "memtend alert")
"""Automations that earlier versions made, without a mark."""
RESOURCE: Final = "prefect.resource.id"
STORES: Final = {RESOURCE: "memtend.store.*"}
RUNS: Final = {RESOURCE: "prefect.flow-run.*"}
OURS: Final = {"prefect.resource.role": "tag", RESOURCE: f"prefect.tag.{TAG}"}
OF_A_DEPLOYMENT: Final = {"prefect.resource.role": "deployment"}
"""Not the runs within a run: of those the outer one tells."""
BY_DEPLOYMENT: Final = "related:deployment:prefect.resource.id"
BEGUN: Final = ("Running", "Retrying", "Rerunning")
"""At once the run gives its first sign of life, unless it dies before."""
ENDED: Final = (
    "Completed", "Failed", "Refused", "Crashed", "Cancelled", "TimedOut", "Suspended",
)  # fmt: skip
STUCK: Final = "memtend run stuck"
USUAL: Final = "memtend alert notice"
URGENT: Final = "memtend alert urgent"

_STORE = "Store: {{ event.resource.name }}"
_RUN = "Run: {{ flow_run.name }}\n{{ flow_run|ui_url or '' }}"
_ALERT = (
    "{{ event.payload.level }} {{ event.payload.rule }} ({{ event.payload.scope }}): "
    "{{ event.payload.fact }}\n{{ event.payload.hint }}"
)
_TODAY = frozenset({ALERT_OPENED, ALERT_RAISED, ALERT_REMINDED, ALERT_TEST})
_URGENT = [AlertLevel.ERROR.value, AlertLevel.CRITICAL.value, TEST]
_NOTICE = [AlertLevel.INFO.value, AlertLevel.WARNING.value, TEST]


class Notify(NamedTuple):
    """The notification blocks that hear: of what is urgent, and of the rest. None: nobody."""

    usual: UUID | None = None
    urgent: UUID | None = None


class Alert(NamedTuple):
    """Something about a store of which people hear through a notification block.

    `within` None: when one of the events comes. Otherwise: when it has not come again by then.
    `details` is a template over the event.
    """

    name: str
    event: str | frozenset[str]
    says: str
    within: timedelta | None = None
    details: str = ""
    match: Mapping[str, str | list[str]] = MappingProxyType(STORES)
    urgent: bool = True

    def automation(self, block_id: UUID) -> AutomationCore:
        proactive = self.within is not None
        events = {self.event} if isinstance(self.event, str) else set(self.event)
        trigger = EventTrigger(
            match=dict(self.match),
            for_each={RESOURCE},
            after=events if proactive else set(),
            expect=events,
            posture=Posture.Proactive if proactive else Posture.Reactive,
            threshold=1,
            within=self.within or timedelta(0),
        )
        return _told(self.name, self.says, trigger, block_id, (self.details, _STORE))


class RunAlert(NamedTuple):
    """A state of a run of which people hear: once in a while for each deployment, not each time."""

    name: str
    state: str
    says: str
    urgent: bool = False

    def automation(self, block_id: UUID) -> AutomationCore:
        trigger = EventTrigger(
            match=RUNS,
            match_related=[OURS, OF_A_DEPLOYMENT],
            for_each={BY_DEPLOYMENT},
            expect={f"prefect.flow-run.{self.state}"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(seconds=RUN_TOLD_AGAIN_S),
        )
        return _told(self.name, self.says, trigger, block_id, (_RUN,))


ALERTS: Final = (
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
        URGENT,
        _TODAY,
        "A check of the alerts found something that cannot wait.",
        details=_ALERT,
        match={**STORES, LEVEL: _URGENT},
    ),
    Alert(
        USUAL,
        _TODAY,
        "A check of the alerts found something to look at.",
        details=_ALERT,
        match={**STORES, LEVEL: _NOTICE},
        urgent=False,
    ),
    Alert(
        "memtend alert resolved",
        ALERT_RESOLVED,
        "What was wrong is well again.",
        details=_ALERT,
        urgent=False,
    ),
    Alert(
        "memtend run refused",
        RUN_REFUSED,
        "A plan was refused and nothing was changed. The run's page says why and what to do.",
        details="{{ event.payload.flow }}, error {{ event.payload.code }}",
        urgent=False,
    ),
    RunAlert("memtend run failed", "Failed", "A run has failed. Its page says why and what to do."),
    RunAlert("memtend run crashed", "Crashed", "The process of a run has died. The next run of it "
             "finishes what it left; look at the machine when it comes again."),
    RunAlert("memtend run late", "Late", "Nobody has begun a run that is due: is the worker up?"),
)  # fmt: skip


def wanted(notify: Notify, *, watch: bool = True) -> list[AutomationCore]:
    """All that there should be on a server where these blocks are to hear. Without `watch` nobody
    looks whether a run gives signs of life.
    """
    found = [stuck()] if watch else []
    for alert in ALERTS:
        block_id = notify.urgent if alert.urgent and notify.urgent else notify.usual
        if block_id is not None:
            found.append(alert.automation(block_id))
    return found


def stuck(within_s: float = SILENT_S) -> AutomationCore:
    """A run whose process is gone is called so, and a place in its deployment is free again.

    Only a run of a deployment: one within it begins as it does, and gives no sign of life.
    """
    trigger = EventTrigger(
        match=RUNS,
        match_related=[OURS, OF_A_DEPLOYMENT],
        for_each={RESOURCE},
        after={HEARTBEAT, *(f"prefect.flow-run.{state}" for state in BEGUN)},
        expect={HEARTBEAT, *(f"prefect.flow-run.{state}" for state in ENDED)},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=within_s),
    )
    says = "A run that gives no sign of life is crashed. Its next run finishes what it left."
    action = ChangeFlowRunState(
        state=StateType.CRASHED, message="No sign of life: its process or its machine is gone."
    )
    return _automation(STUCK, says, trigger, action)


def block_of(automation: AutomationCore) -> UUID | None:
    """The notification block that an automation tells."""
    for action in automation.actions:
        if isinstance(action, SendNotification):
            return action.block_document_id
    return None


def _told(
    name: str, says: str, trigger: EventTrigger, block_id: UUID, lines: tuple[str, ...]
) -> AutomationCore:
    action = SendNotification(
        block_document_id=block_id,
        subject=f"memtend: {name.removeprefix('memtend ')}",
        body="\n".join(line for line in (says, *lines) if line),
    )
    return _automation(name, says, trigger, action)


def _automation(
    name: str, says: str, trigger: EventTrigger, action: ChangeFlowRunState | SendNotification
) -> AutomationCore:
    return AutomationCore(
        name=name, description=says, enabled=True, tags=[MARK], trigger=trigger, actions=[action]
    )
