"""Driver: hit file operations of an import, import again, and look for losses and doubles.

usage, under the shim: imports ACT MOST      ACT: kill, torn, eio, enospc

The store holds an earlier import. In the source, values and a counter have changed since, siblings
and a batch of items are new, and one file cannot be read. At no time may a record be anything but
what it was or what it is to be; after the second import the store is as if nothing had happened.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import memtend.store.ballast
import memtend.store.sqlite
from memtend.errors import MemtendError
from memtend.model.policy import Policy, Reading
from memtend.model.policyfile import PolicyFile
from memtend.model.policyset import PolicySet
from memtend.services import Services
from tests.crash.points import LATER_MS, NOW_MS
from tests.crash.sampling import sampled
from tests.crash.shim import Shim, fast_folder, in_child
from tests.crash.steps import NOON_MS, opened

memtend.store.sqlite.WAL_CHECKPOINT_BYTES = 12 * 4_096  # type: ignore[attr-defined]
memtend.store.ballast.BALLAST_BYTES = 16 * 1_024  # type: ignore[attr-defined]

OLD, NEW = 40, 80
RULES = (
    Policy(pattern="counts/**", reading=Reading.COUNTER),
    Policy(pattern="both/**", reading=Reading.MV),
)
State = dict[str, list[Any]]
"""Of each record what `get` shows, and the values of its siblings."""


def write_source(root: Path, version: int) -> None:
    """As the older lifecycle tool kept it, before and after some more work with that tool."""
    memory = root / ".claude-flow/memory"
    memory.mkdir(parents=True, exist_ok=True)

    def entry(key: str, value: Any, **more: Any) -> None:
        namespace, _, name = key.rpartition("/")
        item = {"key": key, "value": value, "timestamp": 1_700_000_000 + version} | more
        (memory / f"{namespace}_{name}.json".replace("/", "_")).write_text(
            json.dumps(item | {"namespace": namespace})
        )

    for n in range(OLD if version == 1 else NEW):
        entry(f"notes/n{n}", {"n": n, "version": version if n % 3 else 1})
    entry("counts/runs", 10 * version)
    entry("both/v", "third", conflict_values=[["first", 1_600_000_000], ["second", 1_650_000_000]])
    if version == 2:
        entry("both/w", "b", conflict_values=[["a", 1_600_000_000]])
        (memory / "torn.json").write_bytes(b'{"key": "half')


def import_all(services: Services, source: Path) -> None:
    services.apply_import(services.plan_import(str(source)))


def state_of(services: Services) -> State:
    memory, state = services.memory, {}
    for namespace in services.store.namespaces.load():
        for key, value in memory.scan(namespace, limit=1_000):
            siblings = [record.value for record in memory.siblings(namespace, key)]
            state[f"{namespace}/{key}"] = [value, siblings]
    return state


class Sweep:
    def __init__(self, act: str) -> None:
        self.act, self.shim = act, Shim()
        self.home = fast_folder(f"import-{act}")
        self.base, self.folder = self.home / "base", self.home / "store"
        self.sources = [self.home / f"source-{version}" for version in (1, 2)]
        self.violations: list[str] = []
        self.outcomes: Counter[str] = Counter()

    def run(self, most: int) -> dict[str, Any]:
        for version, source in enumerate(self.sources, 1):
            write_source(source, version)
        self.base.mkdir()
        with opened(self.base, NOON_MS, seed=1) as services:
            policies = PolicyFile(policies=PolicySet(rules=RULES))
            services.memory.config.set_policies(policies, "owner")
            import_all(services, self.sources[0])
            services.memory.increment("counts", "runs", 5)
            self.before = state_of(services)
            services.verify_store()
        self._fresh()
        code, [told] = in_child(lambda: self._import(0))
        assert code == 0
        self.after = in_child(self._look)[1][0]["state"]
        assert self.after["counts/runs"][0] == 25
        assert len(self.after) == NEW + 3
        assert [len(self.after[f"both/{key}"][1]) for key in "vw"] == [3, 2]
        tried = sampled(told["seen"], most, f"import {self.act}")
        for point in tried:
            self._fresh()
            self._try(point)
        shutil.rmtree(self.home)
        return {
            "points": told["seen"],
            "tried": len(tried),
            "outcomes": self.outcomes,
            "violations": self.violations,
        }

    def _fresh(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.base, self.folder)

    def _try(self, point: int) -> None:
        code, told = in_child(lambda: self._import(point))
        outcome = {-9: "killed", 0: "raised" if told and told[-1]["error"] else "quiet"}
        self.outcomes[outcome.get(code, "broke")] += 1
        where = f"point {point}"
        self._check(where, whole=False)
        code, told = in_child(lambda: self._import(-1, LATER_MS))
        if code or told[-1]["error"]:
            self.violations.append(f"{where}: cannot be repeated: {told}")
        self._check(f"{where}, repeated", whole=True)

    def _import(self, point: int, now_ms: int = NOW_MS) -> Iterator[dict[str, Any]]:
        if point >= 0:
            self.shim.arm(self.folder, point, self.act)
        error = ""
        try:
            with opened(self.folder, now_ms, seed=now_ms) as services:
                import_all(services, self.sources[1])
        except MemtendError as raised:
            error = str(raised)
        yield {"error": error, "seen": self.shim.seen}

    def _check(self, where: str, *, whole: bool) -> None:
        code, told = in_child(self._look)
        if code or not told[0]["ok"]:
            self.violations.append(f"{where}: {told or 'the check broke'}")
            return
        state: State = told[0]["state"]
        if whole and state != self.after:
            self.violations.append(f"{where}: the store is not what it is without the fault")
        for path in state.keys() | self.before.keys():
            if state.get(path) not in (self.before.get(path), self.after.get(path)):
                self.violations.append(f"{where}: {path} is {state.get(path)}")

    def _look(self) -> Iterator[dict[str, Any]]:
        with opened(self.folder, LATER_MS, seed=200) as services:
            yield {"ok": services.verify_store().ok, "state": state_of(services)}


if __name__ == "__main__":
    print(json.dumps(Sweep(sys.argv[1]).run(int(sys.argv[2]))))
