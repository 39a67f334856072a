"""Everything that memtend needs on a Prefect server, made or brought up to date: `memtend deploy`.

The pool of the workers, the deployments of one store with their schedules, its limit for writers,
and the automations. Run again it finds everything as it should be and changes nothing; cut off, it
is finished by repeating. It deletes only what it has made itself and needs no longer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

from memtend.settings import Settings
from memtend_flows.automating import NOBODY, automations
from memtend_flows.changes import Change, State, carry_out, compared
from memtend_flows.deployment import Place
from memtend_flows.program import run_program
from memtend_flows.registering import Work, registrations
from memtend_flows.server import server
from memtend_flows.showing import show_changes
from memtend_tasks.address import DEFAULT, What, check_plain, is_block, resolve
from memtend_tasks.opened import store_address
from memtend_tasks.place import SQLITE
from memtend_tasks.turn import turn_name

POOL = "memtend"


class Wish(argparse.Namespace):
    """The options as they were given."""

    store: str
    target: str
    archive: str
    pool: str
    folder: Path | None
    notify: str | None
    urgent: str | None
    plan: bool
    json: bool


def main(arguments: Sequence[str] | None = None) -> int:
    wish = parser().parse_args(arguments, Wish())
    return run_program(lambda: deploy(wish), arguments)


def deploy(wish: Wish) -> None:
    work = work_of(wish)
    place = place_of(wish, work.folder)
    with server() as client:
        changes = plan(client, place, work, wish.notify, wish.urgent)
        if not wish.plan:
            carry_out(changes)
    show_changes(changes, carried_out=not wish.plan, json=wish.json)


def work_of(wish: Wish) -> Work:
    """A folder that is relative is so from here: on the machine of a worker it would be another."""
    folder = wish.folder or Settings().home or Path()
    return Work(wish.pool, str(folder.absolute()))


def place_of(wish: Wish, folder: str) -> Place:
    """As runs find it in that folder. Raises `SecretInParameter`."""
    given = (("store", wish.store), ("target", wish.target), ("archive", wish.archive))
    return Place(*(_in(folder, check_plain(text, name)) for name, text in given))


def _in(folder: str, text: str) -> str:
    """A path below it; names and URLs as they are."""
    if text.startswith(SQLITE):
        return SQLITE + str(Path(folder, text.removeprefix(SQLITE)))
    plain = text == DEFAULT or is_block(text) or "://" in text
    return text if plain else str(Path(folder, text))


def plan(
    client: SyncPrefectClient,
    place: Place,
    work: Work,
    notify: str | None = None,
    urgent: str | None = None,
) -> list[Change]:
    """What is new, changed, as it should be, or obsolete. Reads only."""
    check_names(place)
    changes = [pool(client, work.pool), *limits(client, place)]
    changes += registrations(client, place, work)
    return changes + automations(client, notify, urgent)


def check_names(place: Place) -> None:
    """A slip in a name is told now, and not by the runs of a night. Raises `AddressUnknown`."""
    named: tuple[tuple[What, str], ...] = (
        ("store", place.store), ("backup", place.target), ("archive", place.archive_target),
    )  # fmt: skip
    for what, text in named:
        if is_block(text):
            resolve(text, what, DEFAULT)


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


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memtend deploy", description=__doc__.splitlines()[0])
    parser.add_argument("--store", default=DEFAULT, help="a name, or an address without password")
    parser.add_argument("--target", default=DEFAULT, help="the same for its backups")
    parser.add_argument("--archive", default=DEFAULT, help="the same for its archive")
    parser.add_argument("--pool", default=POOL, help="work pool; made where there is none")
    parser.add_argument("--folder", type=Path, help="where the workers execute runs")
    parser.add_argument("--notify", help=f"TYPE/NAME of a notification block, or {NOBODY}")
    parser.add_argument("--urgent", help="another one, for what cannot wait")
    parser.add_argument("--plan", action="store_true", help="show what would change")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
