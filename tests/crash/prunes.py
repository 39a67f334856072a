"""Pruning and bringing back, as steps of the crash scripts: done again, they do what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from memtend.services import Services
from tests.fixtures.archives import value
from tests.fixtures.pruning import plan_of

NS: Final = "old"
PRUNED: Final[dict[str, Any]] = {f"{NS} {key}": value(n) for n, key in enumerate("abcd")}
ALIKE: Final[dict[str, Any]] = {f"{NS} {key}": value(99) for key in "wxyz"}


def prune(keys: str, into: str = "") -> Callable[[Services], None]:
    """As many of the records as are there; with `into` they are merged into that one."""

    def do(services: Services) -> None:
        here = {key for key, _ in services.memory.scan(NS)}
        paths = [f"{NS}/{key}" for key in keys if key in here]
        merged = dict.fromkeys(paths, f"{NS}/{into}") if into else {}
        plan = plan_of(services, *(() if into else paths), into=merged)
        services.apply_prune(plan, approved=True)

    return do


def bring_back(strategy: str) -> Callable[[Services], None]:
    """What rules of this strategy took."""

    def do(services: Services) -> None:
        for one in services.prunings():
            if any(rule.startswith(strategy) for rule in one.rules):
                services.undo_prune(one.plan)

    return do
