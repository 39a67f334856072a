"""A season of tasks, as a coordinator wrote down how they ended: `outcomes.jsonl`.

What works depends on the task: splitting work up is the faster the larger it is, and goes wrong
where files are contended; a reviewer helps with risky changes. The coordinator knew none of that:
it draws its strategy in six of ten tasks and works sequentially in the others, with the probability
of each choice written down. So there is something to learn, and it is known how much.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUTCOMES = 500
SEASON_DAYS = 60
STRATEGIES = ("sequential", "parallel", "hierarchical", "reviewed")
TASKS = ("build", "review", "research", "deploy")
EXPLORED = 0.6
_DAY = 86_400.0


def write_outcomes(folder: Path, now: float) -> int:
    """Returns how many there are, oldest first."""
    with (folder / "outcomes.jsonl").open("w", encoding="utf-8") as file:
        for outcome in outcomes(now):
            file.write(json.dumps(outcome) + "\n")
    return OUTCOMES


def outcomes(now: float) -> Iterator[dict[str, Any]]:
    """Each with the arguments of `record_task_outcome`, its id, its time and who tells it."""
    rng = random.Random(20_261_121)  # noqa: S311 — a sample, and always the same
    share = EXPLORED / len(STRATEGIES)
    for n in range(OUTCOMES):
        context = _context(rng)
        chosen = rng.choice(STRATEGIES) if rng.random() < EXPLORED else STRATEGIES[0]
        good = rng.random() < _chance(context, chosen)
        late = rng.random() < 0.05
        result = "success" if good else ("timeout" if late else "failure")
        yield {
            "outcome_id": f"sample-{n:05d}",
            "at_ms": int((now - (OUTCOMES - n) / OUTCOMES * SEASON_DAYS * _DAY) * 1000),
            "agent": ("planner", "builder", "scout")[n % 3],
            "task_type": context.pop("task_type"),
            "result": result,
            "strategy": chosen,
            "propensity": round(share + (1 - EXPLORED) * (chosen == STRATEGIES[0]), 6),
            "duration_s": round(_seconds(context, chosen) * math.exp(rng.gauss(0, 0.3)), 2),
            "context": context,
        }


def _context(rng: random.Random) -> dict[str, Any]:
    return {
        "task_type": rng.choices(TASKS, (5, 3, 2, 2))[0],
        "files": int(math.exp(rng.gauss(1.6, 0.9))) + 1,
        "contended_share": round(rng.betavariate(1, 4), 3),
        "risk": rng.choices(("low", "medium", "high"), (5, 3, 2))[0],
        "languages": sorted(rng.sample(("python", "sql", "go", "yaml"), rng.randint(1, 3))),
        "trace": f"{rng.getrandbits(64):016x}",
    }


def _chance(context: dict[str, Any], strategy: str) -> float:
    large = math.log(context["files"]) - 1.6
    contended = context["contended_share"] - 0.2
    risky = context["risk"] == "high"
    logit = {
        "sequential": 1.0 - 1.6 * large - 1.2 * risky,
        "parallel": 0.2 + 2.4 * large - 5.0 * contended - 1.5 * risky,
        "hierarchical": 0.3 + 0.3 * large - 1.0 * contended,
        "reviewed": -0.6 + 3.4 * risky,
    }[strategy]
    return 1 / (1 + math.exp(-logit))


def _seconds(context: dict[str, Any], strategy: str) -> float:
    pace = {"sequential": 1.0, "parallel": 0.6, "hierarchical": 0.9, "reviewed": 1.5}[strategy]
    return 20 * context["files"] ** 0.6 * pace
