"""Automations beside those that the server has.

What a person has switched off stays off, and who hears goes on hearing: the server remembers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from memtend.limits_flows import DEPLOYMENTS_PAGE
from memtend_flows.automations import (
    ALERTS,
    MARK,
    RETIRED,
    URGENT,
    USUAL,
    Notify,
    block_of,
    wanted,
)
from memtend_flows.changes import Change, State, compared
from memtend_tasks.errors import BlockMissing

KIND = "automation"
NOBODY = "none"


def automations(
    client: SyncPrefectClient,
    notify: str | None = None,
    urgent: str | None = None,
    *,
    watch: bool = True,
) -> list[Change]:
    """Without a word about whom to notify, those who hear go on hearing. `watch`: as `wanted`."""
    found: dict[str, Automation] = {}
    gone: list[Automation] = []
    names = {one.name for one in wanted(Notify(UUID(int=0), UUID(int=0)))}
    for one in sorted(all_automations(client), key=lambda one: MARK not in one.tags):
        if one.name in names and one.name not in found:
            found[one.name] = one
        elif one.name in RETIRED or MARK in one.tags:
            gone.append(one)
    changes = []
    for ours in wanted(_hear(client, notify, urgent, _heard(found)), watch=watch):
        theirs = found.pop(ours.name, None)
        ours.enabled = theirs.enabled if theirs else True  # a person may have switched it off
        do: Callable[[], object] = (
            partial(client.update_automation, theirs.id, ours)
            if theirs
            else partial(client.create_automation, ours)
        )
        has = _facts(theirs) if theirs else None
        changes.append(compared(KIND, ours.name, _facts(ours), has, do))
    for one in [*found.values(), *gone]:
        delete = partial(client.delete_automation, one.id)
        changes.append(Change(KIND, one.name, State.OBSOLETE, (), delete))
    return changes


def all_automations(client: SyncPrefectClient) -> list[Automation]:
    """Of everybody, page by page."""
    found: list[Automation] = []
    while page := client.read_automations(limit=DEPLOYMENTS_PAGE, offset=len(found)):
        found += page
    return found


def _facts(one: AutomationCore) -> dict[str, object]:
    """What is compared. The names are those under which differences are told."""
    return {
        "says": one.description,
        "trigger": one.trigger.model_dump(),
        "actions": [action.model_dump() for action in one.actions],
        "marked": MARK in one.tags,
    }


def _heard(found: Mapping[str, Automation]) -> Notify:
    """The blocks that hear today. One for what is urgent counts where it is another one."""
    blocks = {name: block for name, one in found.items() if (block := block_of(one))}
    usual = _first(blocks, [USUAL, *(one.name for one in ALERTS if not one.urgent)])
    urgent = _first(blocks, [URGENT, *(one.name for one in ALERTS if one.urgent)])
    return Notify(usual, urgent if urgent != usual else None)


def _first(blocks: Mapping[str, UUID], names: Iterable[str]) -> UUID | None:
    return next((blocks[name] for name in names if name in blocks), None)


def _hear(
    client: SyncPrefectClient, notify: str | None, urgent: str | None, today: Notify
) -> Notify:
    """The blocks that are named, and else those that hear today."""
    if notify == NOBODY and urgent is None:
        return Notify()
    return Notify(
        _block(client, notify) if notify else today.usual,
        _block(client, urgent) if urgent else today.urgent,
    )


def _block(client: SyncPrefectClient, named: str) -> UUID | None:
    if named == NOBODY:
        return None
    kind, _, name = named.partition("/")
    if not name:
        raise BlockMissing(block=named)
    try:
        return client.read_block_document_by_name(name, kind).id
    except ObjectNotFound:
        raise BlockMissing(block=named) from None
