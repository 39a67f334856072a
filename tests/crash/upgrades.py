"""Driver: kill a migration of the schema before a file operation, and look at what is left.

usage, under the shim: upgrades FROM MOST      FROM: the older schema, or `back` for the way back

Per point a fresh copy of a golden store, a child that migrates it and is killed, and a child that
looks: the schema is the old one or the new one, with every row, and the same work goes through.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memtend.clock import ManualClock
from memtend.serving.upgrading import apply_schema, plan_schema, schema_state
from memtend.settings import Settings
from memtend.store import schema
from memtend.store.store import Store
from memtend.store.upgrade_ground import fingerprint
from memtend.store.upgrading import ground_of
from memtend.store.verify import verify_store
from tests.crash.sampling import sampled
from tests.crash.shim import Shim, fast_folder, in_child
from tests.fixtures.older import LATER_MS, STORES

BACK = "back"


class Upgrades:
    def __init__(self, start: str) -> None:
        self.shim = Shim()
        self.home = fast_folder(f"upgrade-{start}")
        self.base, self.folder = self.home / "base", self.home / "store"
        self.path = self.folder / "store.db"
        self.settings = Settings(store_url=f"sqlite:///{self.path}")
        self.found, self.wanted = (
            (schema.HEAD, schema.REVISIONS[-2].number) if start == BACK else (start, schema.HEAD)
        )
        self.outcomes: Counter[str] = Counter()
        self.violations: list[str] = []

    def run(self, most: int) -> dict[str, Any]:
        self._prepare()
        code, told = in_child(lambda: self._migrate(0))
        assert code == 0, told
        total = told[-1]
        tried = sampled(total, most, self.found)
        for point in tried:
            self._fresh()
            code, _ = in_child(lambda point=point: self._migrate(point))  # type: ignore[misc]
            self.outcomes["killed" if code == -9 else "other"] += 1
            code, told = in_child(self._look)
            if code or told[1:]:
                self.violations.append(f"point {point}: {told[1:] or 'the check broke'}")
            self.outcomes[told[0] if told else "broken"] += 1
        shutil.rmtree(self.home)
        return {"points": total, "tried": len(tried), "outcomes": self.outcomes,
                "violations": self.violations}  # fmt: skip

    def _prepare(self) -> None:
        """What is imported here, no child imports."""
        self.base.mkdir()
        first = self.found if self.wanted == schema.HEAD else self.wanted
        shutil.copy(STORES / f"{first}.db", self.base / "store.db")
        shutil.copy(STORES / f"{first}.db.key", self.base / "store.db.key")
        self._fresh()
        self._move(schema.HEAD, ManualClock(LATER_MS - 1, seed=1))
        with ground_of(str(self.path)) as ground, ground.engine.snapshot() as reader:
            self.rows = fingerprint(reader)
        if self.found == schema.HEAD:
            shutil.rmtree(self.base)
            shutil.copytree(self.folder, self.base)
        self._fresh()

    def _fresh(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.base, self.folder)

    def _move(self, wanted: str, clock: ManualClock, *, rehearsal: bool = False) -> None:
        plan = plan_schema(self.settings.store_url, self.settings, clock, wanted)
        apply_schema(plan, self.settings, clock, rehearsal=rehearsal)

    def _migrate(self, point: int) -> Iterator[int]:
        self.shim.arm(self.folder, point, "kill")
        # A rehearsal is most of the work; on the way back none takes points from the rest.
        rehearsal = self.wanted == schema.HEAD
        self._move(self.wanted, ManualClock(LATER_MS, seed=2), rehearsal=rehearsal)
        yield self.shim.seen

    def _look(self) -> Iterator[str]:
        """First which schema there is, then what is wrong."""
        found = str(schema_state(str(self.path)).found)
        yield found
        if found not in (self.found, self.wanted):
            yield f"it is of schema {found}"
        clock = ManualClock(LATER_MS + 1, seed=3)
        self._move(self.wanted, clock)
        yield from self._wrong()
        self._move(schema.HEAD, clock, rehearsal=self.wanted != schema.HEAD)
        with ground_of(str(self.path)) as ground:
            key = bytes.fromhex(Path(f"{self.path}.key").read_text())
            report = verify_store(Store(ground.engine, clock, key))
            yield from (f"{one.where}: {one.why}" for one in report.findings)

    def _wrong(self) -> Iterator[str]:
        with ground_of(str(self.path)) as ground, ground.engine.snapshot() as reader:
            if fingerprint(reader) != self.rows:
                yield "rows are missing or others"


if __name__ == "__main__":
    print(json.dumps(Upgrades(sys.argv[1]).run(int(sys.argv[2]))))
