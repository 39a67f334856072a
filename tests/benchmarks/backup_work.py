"""What is backed up, how it changes between two backups, and our operations by name."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from memtend.drafting import Put
from memtend.memory import Memory
from memtend.services import Services, open_services
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.settings import Settings
from tests.benchmarks.harness import chunks, expect

UPDATED, INSERTED, DELETED = 0.01, 0.005, 0.005
_WORDS, _TEXT_WORDS = 6_000, 1_500_000
_LENGTHS = (600, 900, 2_500, 5_500, 10_000)
"""Bytes of JSON. Two in five lie below the compression threshold; a row takes 2.4 KB on average."""


@cache
def _text() -> str:
    """English-like: words of many letters, the common ones far more often than the rare."""
    dice = random.Random("memtend backup text")
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = [1 / (n + 2) for n in range(len(letters))]
    words = [
        "".join(dice.choices(letters, weights, k=dice.randrange(2, 11))) for _ in range(_WORDS)
    ]
    often = [1 / (n + 3) for n in range(_WORDS)]
    return " ".join(dice.choices(words, often, k=_TEXT_WORDS))


def value(number: int, version: int) -> dict[str, Any]:
    """The value of a record; nothing of its text comes back in the next version."""
    dice = random.Random(f"{number} {version}")
    text, length = _text(), _LENGTHS[number % len(_LENGTHS)]
    start = dice.randrange(len(text) - length)
    return {"task": number, "version": version, "score": dice.random(),
            "text": text[start : start + length]}  # fmt: skip


def namespace(number: int) -> str:
    return f"agents/agent-{number % 40}"


def key(number: int) -> str:
    return f"task/{number:08d}"


def put(number: int, version: int = 0) -> Put:
    return Put(namespace(number), key(number), value(number, version))


def fill(memory: Memory, size: int) -> None:
    for numbers in chunks(range(size), 1_000):
        memory.put_many([put(number) for number in numbers])


def change(memory: Memory, size: int, turn: int, count: int | None = None) -> int:
    """One interval of a store's life; returns how many records changed.

    `count` changes altogether, whatever the size, instead of shares of it.
    """
    dice = random.Random(f"turn {turn}")
    updated, inserted, deleted = (
        int(share * (size if count is None else count / (UPDATED + INSERTED + DELETED)))
        for share in (UPDATED, INSERTED, DELETED)
    )
    live = range(turn * deleted, size)  # what earlier turns deleted stays gone
    fresh = range(10**7 + turn * inserted, 10**7 + (turn + 1) * inserted)
    writes: list[Put] = [put(number, turn + 1) for number in dice.sample(live, updated)]
    for batch in _batches([*writes, *map(put, fresh)]):
        memory.put_many(batch)
    gone = range(turn * deleted, (turn + 1) * deleted)
    for number in gone:
        memory.delete(namespace(number), key(number))
    return updated + inserted + deleted


def _batches(puts: list[Put]) -> Iterator[list[Put]]:
    yield from chunks(puts, 1_000)


def warm_up() -> None:
    """Import what the operations import, on a store in memory."""
    with open_services("sqlite://") as services:
        services.memory.put("warm", "up", 1)
        services.take_backup("memory://warm-up")
        services.take_backup("memory://warm-up")


def _take(services: Services, target: str) -> None:
    services.take_backup(target)


def _take_full(services: Services, target: str) -> None:
    services.take_backup(target, full=True)


def _verify(services: Services, target: str) -> None:
    if not services.verify_backup(target).ok:
        raise AssertionError("the backups are damaged")


def _restore(services: Services, target: str) -> None:
    """Into a new place, as the others do it."""
    settings, into = Settings(backup_url=target), Path(f"{target}-restored.db")
    plan = plan_fresh(settings, services.clock, compare=False)
    report = apply_fresh(plan, str(into), settings, services.clock)
    expect(report.rows, services.facts().records, "restored")


def _replace(services: Services, target: str) -> None:
    """In the place of the live store: compared with it, swapped in, the old one kept."""
    services.apply_restore(services.plan_restore(target))


WORK: dict[str, Callable[[Services, str], None]] = {
    "take": _take,
    "full": _take_full,
    "verify": _verify,
    "restore": _restore,
    "replace": _replace,
}
