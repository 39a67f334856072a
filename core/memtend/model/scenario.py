"""What a model is learned for: all tasks, those of one type, or those of one swarm.

A scenario's name is that of its models in the registry. The task type or swarm it stands for may be
any text, so a text that is no name is told by its digest; `Scenario` knows which one it was.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from memtend.model.ended import Ended

DEFAULT: Final = "default"
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,25}")
_DIGITS: Final = 16


class Scenario(NamedTuple):
    """Without a task type and a swarm: everything."""

    name: str = DEFAULT
    task_type: str | None = None
    swarm: str | None = None

    def covers(self, one: Ended) -> bool:
        return self.task_type in (None, one.task_type) and self.swarm in (None, one.swarm)


def of_task(task_type: str) -> Scenario:
    return Scenario(_named("task", task_type), task_type=task_type)


def of_swarm(swarm: str) -> Scenario:
    return Scenario(_named("swarm", swarm), swarm=swarm)


def applicable(task_type: str | None, swarm: str | None) -> tuple[str, ...]:
    """Whose model is asked, the most particular first."""
    found = [of_task(task_type).name] if task_type is not None else []
    if swarm is not None:
        found.append(of_swarm(swarm).name)
    return (*found, DEFAULT)


def _named(what: str, text: str) -> str:
    plain = _PLAIN.fullmatch(text) is not None and not _is_digest(text)
    return f"{what}-{text if plain else sha256(text.encode()).hexdigest()[:_DIGITS]}"


def _is_digest(text: str) -> bool:
    """What could stand for another text is not taken as it is."""
    return re.fullmatch(f"[0-9a-f]{{{_DIGITS}}}", text) is not None
