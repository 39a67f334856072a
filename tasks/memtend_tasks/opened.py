"""From the name in a form to open services. Tasks get names, and only here do names become URLs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend_tasks.address import DEFAULT, Address, is_block, resolve, resolve_key
from memtend_tasks.errors import WorkersUnusable


def store_address(store: str) -> Address:
    return resolve(store, "store", Settings().store_url)


def target_address(target: str) -> Address:
    return resolve(target, "backup", Settings().backup_url)


def store_label(store: str) -> str:
    """What a run is called after. The name of a block serves as it is: no block is read."""
    return store if is_block(store) else store_address(store).label


@contextmanager
def opened(store: str, target: str | None = None, archive: str | None = None) -> Iterator[Services]:
    """The services of a store that exists: a slip in a form makes no empty one.

    `target` and `archive` take the place of the backup target and the archive in the settings. A
    store knows where its archive is: "default" leaves that to it.
    """
    given: dict[str, object] = {}
    key = None
    if target is not None:
        given["backup_url"] = target_address(target).url
        key = resolve_key(target)
    if archive is not None and archive != DEFAULT:
        given["archive_url"] = resolve(archive, "archive", DEFAULT).url
        key = key or resolve_key(archive)
    if key is not None:
        given |= {"backup_key": key, "backup_key_file": None}
    settings = Settings().model_copy(update=given)
    with open_services(store_address(store).url, settings=settings, create=False) as services:
        yield services


def check_store(services: Services, store_id: str) -> None:
    """For work that came from elsewhere: what a name stands for is what the settings of a worker's
    own machine say."""
    if services.facts().store_id != store_id:
        raise WorkersUnusable(why="a worker knows another store by this name")
