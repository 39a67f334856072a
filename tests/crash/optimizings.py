"""Optimizing, as steps of the crash scripts: done again, it does what is left."""

from __future__ import annotations

from typing import Any, Final

from memtend.codec import canonical
from memtend.services import Services
from memtend.store import dictionaries

_WORDS: Final = ("plan", "build", "test", "review", "release", "retry", "wait", "done")


def wordy(n: int) -> dict[str, Any]:
    notes = [f"{_WORDS[n * k % 8]} of task {n} took {n * k % 977} ms" for k in range(50)]
    return {"task": n, "notes": notes}


LARGE: Final[dict[str, Any]] = {f"wordy k{n}": wordy(n) for n in range(80)}
SMALL: Final[dict[str, Any]] = dict.fromkeys(LARGE, "short")


def squeeze(services: Services) -> None:
    """With a new dictionary each time."""
    texts = [canonical.encode(value) for value in LARGE.values()]
    dictionaries.train(services.store, "note", texts, actor="owner")
    _optimize(services, "compression")


def tidy(services: Services) -> None:
    _optimize(services, "garbage", "space", "rewrite")


def _optimize(services: Services, *steps: str) -> None:
    for step in services.apply_optimize(services.plan_optimize(steps)).steps:
        if step.error is not None:
            raise OSError(step.error)
