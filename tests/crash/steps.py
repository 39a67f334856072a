"""What is interrupted: short scripts of real calls, each step with its effect on what is seen.

After any crash the store must show the state after the last step that returned, or after the one
that was running: nothing acknowledged is missing, and no step is ever half there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.crash.agings import AGED, as_first, move, old_values, take_back, write_old
from tests.crash.models import fit, go_back, let_go_of_unused
from tests.crash.optimizings import LARGE, SMALL, squeeze, tidy
from tests.crash.prunes import ALIKE, PRUNED, bring_back, prune
from tests.crash.shim import preload
from tests.crash.syncs import come_back, let_go, take_in, write_deltas
from tests.crash.trials import begin, end
from tests.fixtures.archives import archive_everything
from tests.fixtures.archives import value as cold_value

NOON_MS = 1_750_000_000_000
DAY_MS = 24 * 3_600_000
HOUR_MS = 3_600_000

Place = str
"""`namespace key`."""
State = dict[Place, Any]


class Step(NamedTuple):
    """`effect` None in the value means that the record is gone."""

    do: Callable[[Services], object]
    effect: State


def put(place: Place, value: Any, **more: Any) -> Step:
    namespace, key = place.split()
    return Step(lambda s: s.memory.put(namespace, key, value, **more), {place: value})


def put_many(values: State) -> Step:
    paths = {place: place.split() for place in values}
    puts = [Put(paths[at][0], paths[at][1], value, TAGGED) for at, value in values.items()]
    return Step(lambda s: s.memory.put_many(puts), values)


def delete(place: Place) -> Step:
    namespace, key = place.split()
    return Step(lambda s: s.memory.delete(namespace, key), {place: None})


def remove(place: Place, element: str, left: list[str]) -> Step:
    namespace, key = place.split()
    return Step(lambda s: s.memory.remove(namespace, key, element), {f"{place} *": left or None})


def count(place: Place, by: int, total: int, op_id: str) -> Step:
    namespace, key = place.split()
    return Step(lambda s: s.memory.increment(namespace, key, by, op_id=op_id), {place: total})


def erase(subject: Subject, effect: State) -> Step:
    def do(services: Services) -> None:
        report = services.apply_erase(services.plan_erase(subject))
        assert report.residue == 0, report

    return Step(do, effect)


def _restore(services: Services) -> None:
    services.apply_restore(services.plan_restore(backups_of(services)))


def _undo(services: Services) -> None:
    """Unless it has happened: a second undo would bring back what the first one replaced."""
    if services.memory.get("fresh", "x") is None:
        services.undo_restore()


def _sweep(services: Services) -> None:
    services.apply_sweep(services.plan_sweep())


def _backup(services: Services) -> None:
    services.take_backup(backups_of(services))


TAGGED = Labels(kind="fact", agent="ada", session="s1", tags=("red", "blue"))
LONG = "a long value that is worth compressing, " * 60
SWEEP = Step(_sweep, {})
BACKUP = Step(_backup, {})
FULL_BACKUP = Step(lambda s: s.take_backup(backups_of(s), full=True), {})
ARCHIVE = Step(archive_everything, {})
RECALL = Step(lambda s: s.recall("cold/c1"), {})
COMPACT = Step(lambda s: s.compact_archive(), {})
RESTORE = Step(_restore, {"notes n1": {"n": 1}, "notes n3": {"n": 3}, "fresh x": None})
UNDO = Step(_undo, {"notes n1": "new", "notes n3": None, "fresh x": 1})

ERASED = "short"
"""A namespace whose name is in no file but the backups' once it was erased. No reader sees its
expired records, so that an erasure in several slices may be cut off between them."""

BASE: State = {
    **{f"notes n{i}": {"n": i} for i in range(30)},
    **{f"notes/deep d{i}": LONG + str(i) for i in range(6)},
    "counts visits": 7,
    "sets colours *": ["blue", "red"],
    "both value": "second",
}
"""What every script starts from, besides the records that have expired by then."""

SCRIPTS: dict[str, list[Step]] = {
    "create": [put("notes first", 1)],
    "put": [
        put("notes n1", "new", labels=TAGGED),
        put("notes n2", LONG + "new"),
        count("counts visits", 5, 12, "op-1"),
        put("both value", "third", ctx={}, op_id="op-2"),
        put("fresh/place one", [1, 2, 3], ttl_ms=90 * DAY_MS),
    ],
    "put_many": [
        put_many({f"notes n{i}": i * 100 for i in range(20)}),
        put_many({f"{ns} m{i}": LONG[: 100 * i] for ns in ("notes", "other") for i in range(20)}),
    ],
    "delete": [
        delete("notes n3"),
        delete("notes/deep d2"),
        delete("both value"),
        remove("sets colours", "red", ["blue"]),
    ],
    "sweep": [SWEEP],
    "full_backup": [FULL_BACKUP],
    "backup": [put("notes n4", "new"), delete("notes n5"), BACKUP],
    # The second increment finds the first one large beside the full one.
    "synthetic_backup": [
        put_many({f"notes n{i}": LONG + str(i) for i in range(60)}),
        BACKUP,
        BACKUP,
    ],
    "archive": [
        put_many({f"cold c{i}": cold_value(i) for i in range(8)}),
        ARCHIVE,
        put("cold c0", "new"),
        RECALL,
        *(delete(f"cold c{i}") for i in range(2, 6)),
        COMPACT,
    ],
    "restore": [
        put("notes n1", "new"),
        delete("notes n3"),
        put("fresh x", 1),
        RESTORE,
        UNDO,
    ],
    "erase": [
        erase(Subject.of_record("both", "value"), {"both value": None}),
        erase(Subject.of_namespace(ERASED), {}),
        put("both value", "a new life"),
    ],
    "prune": [
        put_many(PRUNED | ALIKE),
        Step(prune("abcd"), dict.fromkeys(PRUNED)),
        Step(prune("xyz", into="w"), dict.fromkeys(["old x", "old y", "old z"])),
        Step(bring_back("redundancy"), ALIKE),
        Step(bring_back("time"), PRUNED),
    ],
    "optimize": [put_many(LARGE), Step(squeeze, LARGE), put_many(SMALL), Step(tidy, SMALL)],
    "models": [Step(fit, {}), Step(fit, {}), Step(go_back, {}), Step(let_go_of_unused, {})],
    "trials": [Step(begin, {}), Step(end, {}), Step(begin, {})],
    "migrate": [
        Step(write_old, old_values()),
        Step(move, {}),
        Step(take_back, {}),
        Step(move, {}),
    ],
    "apply": [
        Step(
            lambda s: take_in(s, 0),
            {
                "notes n1": "theirs",
                "notes n3": None,
                "counts visits": 12,
                "sets colours *": ["blue"],
                "both value": "third",
            },
        ),
        Step(
            lambda s: take_in(s, 1),
            {**{f"other m{i}": "their value " * i for i in range(40)}, "notes n5": None},
        ),
    ],
    "rejoin": [
        put_many({f"notes n{i}": LONG[: 100 * i] for i in range(20)}),
        count("counts visits", 5, 12, "op-1"),
        Step(come_back, {}),
        delete("notes n25"),
    ],
    "drop_log": [
        delete("notes n3"),
        delete("both value"),
        Step(let_go, {}),
        put("notes n3", "again"),
        delete("notes n4"),
        Step(let_go, {}),
    ],
}

WRITES = ("create", "put", "put_many", "delete", "sweep")
SYNCS = ("apply", "rejoin", "drop_log")
MIGRATES = ("migrate",)
PRUNES = ("prune", "optimize")
MODELS = ("models", "trials")
_APART = WRITES + SYNCS + MIGRATES + PRUNES + MODELS
UPKEEP = tuple(script for script in SCRIPTS if script not in _APART)
"""Parts that take about as long, each tested in files of its own."""


def prepare(folder: Path) -> None:
    """The store of `BASE`, with expired records waiting and one backup taken."""
    with opened(folder, NOON_MS, seed=1) as services:
        memory = services.memory
        memory.put_many([Put("notes", f"n{i}", {"n": i}, TAGGED) for i in range(30)])
        memory.put_many([Put("notes/deep", f"d{i}", LONG + str(i)) for i in range(6)])
        memory.put_many(
            [Put("short", f"e{i}", LONG[: i * 40], TAGGED, ttl_ms=HOUR_MS) for i in range(40)]
        )
        memory.increment("counts", "visits", 7)
        for colour in ("red", "blue"):
            memory.add("sets", "colours", colour)
        memory.put("both", "value", "first")
        memory.put("both", "value", "second", ctx={})
        memory.put("notes", "gone", 1)
        memory.delete("notes", "gone")
        _backup(services)
        write_deltas(services, folder, NOON_MS)
        # What this imports, no forked child has to.
        _sweep(services)
        services.verify_store()
        services.verify_backup(backups_of(services))
        services.plan_erase(Subject.of_tag("none"))
        services.plan_restore(backups_of(services))
        preload()
        seen_in(services)


@contextmanager
def opened(folder: Path, now_ms: int, seed: int, **more: Any) -> Iterator[Services]:
    clock = ManualClock(now_ms, seed)
    with open_services(
        store_url(folder), settings=settings_of(folder), clock=clock, **more
    ) as services:
        yield services


@cache
def settings_of(folder: Path) -> Settings:
    """Made once: a forked child finds them made, and making them takes as long as a write."""
    return Settings(
        plans_url=f"{folder}/plans", archive_url=f"{folder}/archive", models_url=f"{folder}/models"
    )


def store_url(folder: Path) -> str:
    return f"sqlite:///{folder}/store.db"


def backups_of(services: Services) -> str:
    return str(Path(str(services.store.engine.path)).parent / "backups")


def seen_in(services: Services) -> State:
    """Everything that a reader sees, by scan and by get, which must agree."""
    memory, state = services.memory, {}
    for namespace in services.store.namespaces.load():
        for key, value in memory.scan(namespace, limit=10_000):
            state[f"{namespace} {key}"] = as_first(value) if namespace == AGED else value
            assert memory.get(namespace, key) == value, (namespace, key)
    if members := memory.members("sets", "colours"):
        state["sets colours *"] = members
    return state


def states_of(script: str) -> list[State]:
    """What is to be seen before the first step, and after each one."""
    states = [{} if script == "create" else dict(BASE)]
    for step in SCRIPTS[script]:
        after = states[-1] | step.effect
        states.append({place: value for place, value in after.items() if value is not None})
    return states
