"""Opening what a command works on: settings from the environment, the options above them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtend.memory import Memory
    from memtend.services import Services

EVERYTHING = "**"


@contextmanager
def open_memory(store: str | None, agent: str | None) -> Iterator[Memory]:
    """An existing store, seen by `agent` or by its owner."""
    from memtend.memory import Memory  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    chosen = Settings()
    with Memory.open(
        store or chosen.store_url,
        agent=agent or chosen.agent,
        durability=chosen.durability,
        create=False,
        key_path=str(chosen.key_path) if chosen.key_path else None,
    ) as memory:
        yield memory


@contextmanager
def open_operator(
    store: str | None, *, create: bool = False, archive: str | None = None
) -> Iterator[Services]:
    """A store with everything that tends it. An agent needs the right to administer all of it."""
    from memtend.services import open_services  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    settings = Settings(archive_url=archive) if archive else None
    with open_services(store, create=create, settings=settings) as services:
        memory = services.memory
        if memory.agent is not None:
            memory.config.allow(memory.agent, "admin", EVERYTHING)
        yield services
