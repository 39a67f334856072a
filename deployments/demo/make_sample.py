"""Write a sample of real-looking agent memory in the formats of three older tools.

    python deployments/demo/make_sample.py FOLDER --base 2026-11-21T12:00:00+00:00

`FOLDER/lifecycle` is a lifecycle store (JSON files and SQLite metadata), `FOLDER/aml` a tree whose
items have the schema versions 1.0.0 to 2.0.0 side by side, `FOLDER/swarm` the database of a swarm.
`FOLDER/outcomes.jsonl` says how a season of tasks ended.
Everything is derived from `texts.yaml` and the base time: the same base gives the same files. Ages
are counted back from the base, so some records have outlived their TTL whenever the sample is made,
and one file is damaged on purpose.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from aml_sample import aml_files  # noqa: E402
from lifecycle_sample import Entry, write_lifecycle  # noqa: E402
from outcomes_sample import write_outcomes  # noqa: E402
from swarm_sample import write_swarm  # noqa: E402

HOUR, DAY = 3_600.0, 86_400.0
Texts = dict[str, Any]


def make_sample(folder: Path, base: datetime) -> dict[str, int]:
    """Write all of them below `folder`; returns how many records each holds."""
    texts: Texts = yaml.safe_load((HERE / "texts.yaml").read_text("utf-8"))
    now = base.timestamp()
    entries = [*_working(texts, now), *_shared(texts, now), *_lasting(texts, now)]
    write_lifecycle(folder / "lifecycle", entries, now)
    items = 0
    for name, content in aml_files(texts, now).items():
        path = folder / "aml" / ".loom" / "memory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
        items += len(content) if isinstance(content, list) else 1
    swarm = write_swarm(folder / "swarm", texts, now)
    outcomes = write_outcomes(folder, now)
    return {"lifecycle": len(entries), "aml": items, "swarm": swarm, "outcomes": outcomes}


def _working(texts: Texts, now: float) -> Iterator[Entry]:
    """What lives for an hour or a day: about half of it has outlived its TTL."""
    agents, steps = texts["agents"], texts["steps"]
    for n, agent in enumerate(agents):
        name, service = agent["name"], agent["service"]
        step = {"step": n + 2, "of": 8, "now": steps[n], "service": service}
        yield Entry(f"coordination/{name}/progress", step, now - (0.1 + n * 0.4) * HOUR)
        claim = {"agent": name, "files": [f"services/{service}/main.py", f"docs/{service}.md"]}
        yield Entry(f"coordination/{name}/claims", claim, now - (0.2 + n * 3) * HOUR)
        done = {"agent": name, "percent": 20 + 13 * n, "summary": steps[(n + 2) % len(steps)]}
        yield Entry(f"agent/{name}/progress", done, now - (2 + n * 9) * HOUR)
    for n in range(18):
        agent, goal = agents[n % len(agents)], texts["goals"][n % len(texts["goals"])]
        turns = [
            f"{agent['name']}: {texts['steps'][(n + t) % len(steps)]}" for t in range(1 + n % 5)
        ]
        context = {"agent": agent["name"], "goal": goal, "turns": turns, "open_questions": n % 3}
        yield Entry(f"session/s-{2100 + n * 7}", context, now - (0.15 + n * n * 0.35) * HOUR)
    for n in range(24):
        title = texts["tasks"][n % len(texts["tasks"])]
        state = texts["states"][n % len(texts["states"])]
        status = {"title": title, "state": state, "agent": agents[n % len(agents)]["name"]}
        yield Entry(f"task/{401 + n}/status", status, now - (1 + n * 5) * HOUR, version=1 + n % 4)


def _shared(texts: Texts, now: float) -> Iterator[Entry]:
    """What agents agree on, or not yet: siblings, counters, states."""
    for n, (name, value) in enumerate(texts["shared"].items()):
        yield Entry(f"swarm/shared/{name}", value, now - (3 + n * 8) * HOUR)
    current, *losers = texts["decisions_in_dispute"]
    older = [(value, now - (30 + n) * HOUR) for n, value in enumerate(losers)]
    yield Entry("swarm/shared/decisions", current, now - 29 * HOUR, version=3, losers=older)
    for n, agent in enumerate(texts["agents"]):
        state = {"agent": agent["name"], "mood": "idle" if n % 2 else "working", "queue": n * 2}
        yield Entry(f"swarm/agent/state/{agent['name']}", state, now - (0.5 + n * 2) * DAY)
    for n, name in enumerate(texts["counters"]):
        yield Entry(f"metrics/{name}/count", 17 * n * n + 5, now - (0.3 + n) * DAY, version=n + 1)


def _lasting(texts: Texts, now: float) -> Iterator[Entry]:
    """What is known for good; long texts are packed, as the old tool did."""
    for n, (area, topic, text) in enumerate(texts["knowledge"]):
        agent = texts["agents"][n % len(texts["agents"])]["name"]
        confidence = round(0.35 + 0.6 * ((n * 7) % 30) / 30, 2)
        value = {"text": text, "agent": agent, "tags": [area, topic], "confidence": confidence}
        at = now - (1 + (n * 37) % 211) * DAY
        losers = (
            [({**value, "text": f"Draft: {text.split('.')[0]}."}, at - DAY)] if n % 9 == 0 else []
        )
        yield Entry(f"knowledge/{area}/{topic}", value, at, version=1 + n % 3, losers=losers)
    for area, topic, text in texts["knowledge"][1:13:2]:
        copy = {"text": text, "agent": "planner", "tags": ["handover", topic]}
        yield Entry(f"knowledge/handover/{area}-{topic}", copy, now - 12 * DAY)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to write; made if it is missing")
    parser.add_argument("--base", type=datetime.fromisoformat, required=True, help="ISO time")
    options = parser.parse_args()
    if options.base.tzinfo is None:
        parser.error("--base needs its offset, such as 2026-11-21T12:00:00+00:00")
    print(json.dumps(make_sample(options.folder, options.base)))


if __name__ == "__main__":
    main()
