"""A test of the way from an event to a person: `memtend alerts test`, where there is a server.

One event that says what it is goes to the server, as that of an alert would. What comes
back: whether the server has written it down, which automations hear of it, and how each fared.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.events.filters import EventFilter, EventIDFilter, EventNameFilter
from prefect.events.schemas.automations import Automation, EventTrigger, Posture
from prefect.events.schemas.events import (
    Event,
    ReceivedEvent,
    Resource,
    ResourceSpecification,
)
from pydantic import BaseModel

from memtend.cli import show
from memtend.limits_flows import TOLD_S_MAX
from memtend_flows.automating import all_automations
from memtend_flows.automations import block_of
from memtend_flows.program import run_program
from memtend_flows.server import server
from memtend_tasks.address import DEFAULT
from memtend_tasks.opened import store_address
from memtend_tasks.publish import ALERT_TEST, TEST, resource

_ACTED = "prefect.automation.action.executed"
_FAILED = "prefect.automation.action.failed"
_POLL_S = 0.5
_PAGE = 50  # the newest; the server gives no more at a time
T = TypeVar("T")


class Fired(BaseModel, frozen=True):
    """An automation that hears of the test. `sent` None: nothing was known of it in time."""

    automation: str
    sent: bool | None = None
    why: str = ""


class Tried(BaseModel, frozen=True):
    """Whether the server took the event, and who heard of it."""

    taken: bool
    fires: tuple[Fired, ...] = ()


def main() -> int:
    """Of the store of the settings; what became of it goes out as JSON, and so do errors."""
    return run_program(_try, ["--json"])


def send(client: SyncPrefectClient, label: str, patience_s: float = TOLD_S_MAX) -> Tried:
    """Send the test and look for what becomes of it."""
    event = Event(
        event=ALERT_TEST,
        resource=Resource(resource(label, TEST)),
        payload={
            "level": TEST, "rule": "alerts.test", "scope": "store", "fact": "This is a test.",
            "hint": "Nothing is wrong, and nothing is to be done.",
        },
    )  # fmt: skip
    hearing = [one for one in all_automations(client) if hears(one, event)]
    client.request("POST", "/events", json=[event.model_dump(mode="json")])
    if not _until(lambda: _events(client, id=EventIDFilter(id=[event.id])), patience_s):
        return Tried(taken=False)
    told = _told(client, event.id, hearing, patience_s)
    return Tried(
        taken=True, fires=tuple(told.get(one.id, Fired(automation=one.name)) for one in hearing)
    )


def hears(one: Automation, event: Event) -> bool:
    """Whether this very event sets off a notification."""
    trigger = one.trigger
    return (
        one.enabled
        and isinstance(trigger, EventTrigger)
        and trigger.posture is Posture.Reactive
        and event.event in trigger.expect
        and ResourceSpecification.model_validate(trigger.match).includes([event.resource])
        and block_of(one) is not None
    )


def _told(
    client: SyncPrefectClient, event: UUID, hearing: Sequence[Automation], patience_s: float
) -> dict[UUID, Fired]:
    """How each fared; what is known, when there is no more patience."""
    told: dict[UUID, Fired] = {}

    def known() -> bool:
        told.update(_outcomes(client, event, hearing))
        return len(told) == len(hearing)

    if hearing:
        _until(known, patience_s)
    return told


def _outcomes(
    client: SyncPrefectClient, event: UUID, hearing: Sequence[Automation]
) -> dict[UUID, Fired]:
    """What is known so far."""
    names = {one.id: one.name for one in hearing}
    found = {}
    for one in _events(client, event=EventNameFilter(name=[_ACTED, _FAILED])):
        id_ = UUID(one.resource.id.rpartition(".")[2])
        if id_ in names and event in _causes(one):
            sent = one.event == _ACTED
            found[id_] = Fired(
                automation=names[id_], sent=sent, why=str(one.payload.get("reason", ""))
            )
    return found


def _causes(one: ReceivedEvent) -> Iterator[UUID]:
    for related in one.related:
        if related.get("prefect.resource.role") == "triggering-event":
            yield UUID(related.id.rpartition(".")[2])


def _events(client: SyncPrefectClient, **wanted: Any) -> list[ReceivedEvent]:
    return client.read_events(EventFilter(**wanted), limit=_PAGE).events


def _until(look: Callable[[], T], patience_s: float) -> T:
    """What `look` sees, once there is something, or when there is no more patience."""
    end = time.monotonic() + patience_s
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return seen


def _try() -> None:
    label = store_address(DEFAULT).label
    with server() as client:
        tried = send(client, label)
    show.emit_model(tried)


if __name__ == "__main__":
    sys.exit(main())
