"""Everything that memtend needs on a Prefect server, made or brought up to date: `memtend deploy`.

The pool of the workers, the deployments of one store with their schedules, its limit for writers,
and the automations. Run again it finds everything as it should be and changes nothing; cut off, it
is finished by repeating. It deletes only what it has made itself and needs no longer.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from memtend.limits_flows import DEPLOYMENTS_PAGE
from memtend.settings import Settings
from memtend_flows.automations import MARK, RETIRED, URGENT, USUAL, Notify, block_of, wanted
from memtend_flows.changes import Change, State, carry_out, compared
from memtend_flows.deployment import Place
from memtend_flows.registering import Work, registrations
from memtend_flows.server import run_program, server
from memtend_flows.showing import show_changes
from memtend_tasks.address import DEFAULT, check_plain
from memtend_tasks.errors import BlockMissing
from memtend_tasks.opened import store_address
from memtend_tasks.turn import turn_name

POOL = "memtend"
NOBODY = "none"


class Wish(argparse.Namespace):
    """The options as they were given."""

    store: str
    target: str
    archive: str
    pool: str
    folder: str
    notify: str | None
    urgent: str | None
    plan: bool
    json: bool


def main(arguments: Sequence[str] | None = None) -> int:
    wish = _parser().parse_args(arguments, Wish())
    return run_program(lambda: deploy(wish), arguments)


def deploy(wish: Wish) -> None:
    place = Place(
        check_plain(wish.store), check_plain(wish.target, "target"),
        check_plain(wish.archive, "archive"),
    )  # fmt: skip
    with server() as client:
        changes = plan(client, place, Work(wish.pool, wish.folder), wish.notify, wish.urgent)
        if not wish.plan:
            carry_out(changes)
    show_changes(changes, carried_out=not wish.plan, json=wish.json)


def plan(
    client: SyncPrefectClient,
    place: Place,
    work: Work,
    notify: str | None = None,
    urgent: str | None = None,
) -> list[Change]:
    """What is new, changed, as it should be, or obsolete. Reads only."""
    changes = [pool(client, work.pool), *limits(client, place)]
    changes += registrations(client, place, work)
    return changes + automations(client, notify, urgent)


def pool(client: SyncPrefectClient, name: str) -> Change:
    """Of processes where there is none. One of another type is somebody's choice, and serves."""
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        made = WorkPoolCreate(
            name=name, type=ProcessWorker.type, base_job_template=template,
            description="Workers that tend stores of memtend.",
        )  # fmt: skip
        return Change("work pool", name, State.NEW, (), partial(client.create_work_pool, made))
    return Change("work pool", name, State.UNCHANGED)


def limits(client: SyncPrefectClient, place: Place) -> list[Change]:
    """One writing run at a time. Where the store's address is not known here, its first run makes
    the limit."""
    if place.store == DEFAULT and "store_url" not in Settings().model_fields_set:
        return []
    name = turn_name(store_address(place.store).label)
    try:
        found = {"runs": client.read_global_concurrency_limit_by_name(name).limit}
    except ObjectNotFound:
        found = None
    do = partial(client.upsert_global_concurrency_limit_by_name, name, 1)
    return [compared("limit", name, {"runs": 1}, found, do)]


def automations(
    client: SyncPrefectClient, notify: str | None = None, urgent: str | None = None
) -> list[Change]:
    """Without a word about whom to notify, those who hear go on hearing."""
    found: dict[str, Automation] = {}
    gone: list[Automation] = []
    names = {one.name for one in wanted(Notify(UUID(int=0), UUID(int=0)))}
    for one in sorted(all_automations(client), key=lambda one: MARK not in one.tags):
        if one.name in names and one.name not in found:
            found[one.name] = one
        elif one.name in RETIRED or MARK in one.tags:
            gone.append(one)
    hear = _hear(client, notify, urgent, found)
    changes = []
    for ours in wanted(hear):
        theirs = found.pop(ours.name, None)
        ours.enabled = theirs.enabled if theirs else True  # a person may have switched it off
        do: Callable[[], object] = (
            partial(client.update_automation, theirs.id, ours)
            if theirs
            else partial(client.create_automation, ours)
        )
        has = _facts(theirs) if theirs else None
        changes.append(compared("automation", ours.name, _facts(ours), has, do))
    changes += [
        Change(
            "automation", one.name, State.OBSOLETE, (), partial(client.delete_automation, one.id)
        )
        for one in [*found.values(), *gone]
    ]
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


def _hear(
    client: SyncPrefectClient,
    notify: str | None,
    urgent: str | None,
    found: dict[str, Automation],
) -> Notify:
    """The blocks that are named, and else those that hear today."""
    if notify == NOBODY and urgent is None:
        return Notify()
    blocks = {name: block for name, one in found.items() if (block := block_of(one))}
    usual = blocks.get(USUAL) or next(iter(blocks.values()), None)
    apart = blocks.get(URGENT)
    return Notify(
        _block(client, notify) if notify else usual,
        _block(client, urgent) if urgent else apart if apart != usual else None,
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memtend deploy", description=__doc__.splitlines()[0])
    parser.add_argument("--store", default=DEFAULT, help="a name, or an address without password")
    parser.add_argument("--target", default=DEFAULT, help="the same for its backups")
    parser.add_argument("--archive", default=DEFAULT, help="the same for its archive")
    parser.add_argument("--pool", default=POOL, help="work pool; made where there is none")
    folder = os.environ.get("MEMTEND_HOME") or str(Path.cwd())
    parser.add_argument("--folder", default=folder, help="where the workers execute runs")
    parser.add_argument("--notify", help=f"TYPE/NAME of a notification block, or {NOBODY}")
    parser.add_argument("--urgent", help="another one, for what cannot wait")
    parser.add_argument("--plan", action="store_true", help="show what would change")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
