"""From the name in a form to open services. Tasks get names, and only here do names become URLs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend_tasks.address import Address, is_block, resolve


def store_address(store: str) -> Address:
    return resolve(store, "store", Settings().store_url)


def target_address(target: str) -> Address:
    return resolve(target, "backup", Settings().backup_url)


def store_label(store: str) -> str:
    """What a run is called after. The name of a block serves as it is: no block is read."""
    return store if is_block(store) else store_address(store).label


@contextmanager
def opened(store: str) -> Iterator[Services]:
    """The services of a store that exists: a slip in a form makes no empty one."""
    with open_services(store_address(store).url, create=False) as services:
        yield services
