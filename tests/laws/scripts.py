"""Scripts of random histories: made from a seed, told whether they fail, cut to what is needed.

A step is a plain tuple: what happens, at which replica, with which other replica (or which key),
and a die for the details. What runs a script raises `Diverged` when it goes wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

Step: TypeAlias = tuple[str, int, int, int]
Run: TypeAlias = Callable[[list[Step]], None]
DIE: Final = 12
WEIGHTS: Final = {
    "put": 8,
    "put_ctx": 3,
    "read": 2,
    "delete": 4,
    "delete_ctx": 2,
    "touch": 2,
    "inc": 5,
    "reset": 1,
    "sync": 7,
    "send": 4,
    "deliver": 5,
    "pages": 2,
    "tick": 4,
    "fast": 1,
    "sweep": 2,
    "edge": 2,
    "drop_log": 2,
    "backup": 1,
    "restore": 1,
    "clone": 1,
    "retire": 2,
    "rejoin": 1,
}
LENGTHS: Final = {2: (6, 30), 3: (6, 40), 5: (20, 60)}


class Diverged(AssertionError):
    """A replica does not hold what the model says."""


def script(
    seed: int,
    replicas: int = 3,
    weights: Mapping[str, int] = WEIGHTS,
    lengths: tuple[int, int] | None = None,
) -> list[Step]:
    dice = random.Random(seed)
    length = dice.randint(*(lengths or LENGTHS[replicas]))
    verbs = dice.choices(tuple(weights), tuple(weights.values()), k=length)
    count = max(replicas, 3)  # the second number also names one of three keys
    return [
        (v, dice.randrange(replicas), dice.randrange(count), dice.randrange(DIE)) for v in verbs
    ]


def fails(steps: list[Step], run: Run) -> bool:
    try:
        run(steps)
    except Diverged:
        return True
    return False


def shortest(steps: list[Step], run: Run) -> list[Step]:
    """A failing script from which no single step can be left out."""
    position = 0
    while position < len(steps):
        shorter = steps[:position] + steps[position + 1 :]
        if fails(shorter, run):
            steps, position = shorter, 0
        else:
            position += 1
    return steps


def run_all(seeds: range, make: Callable[[int], list[Step]], run: Run) -> None:
    """Run the script of each seed. A failure tells its seed and the shortest script that fails."""
    for seed in seeds:
        steps = make(seed)
        if fails(steps, run):
            left = shortest(steps, run)
            print(f"seed {seed}: {left}")
            run(left)
            raise Diverged(f"seed {seed} failed once and not again: {left}")
