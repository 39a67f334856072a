"""One drill under way: restore into a scratch file, look at it from every side, plant damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from memtend.backup.drill_report import DrillCheck
from memtend.backup.planted import Planted
from memtend.backup.reassert import TextOf, opener
from memtend.backup.repository import Repository, object_name
from memtend.backup.wished import Wished
from memtend.clock import Clock
from memtend.codec.compress import Codec
from memtend.codec.envelope import QUARANTINED_FLAG, codec_of, type_of, unpack
from memtend.crdt.rows import RowKind
from memtend.errors import MemtendError
from memtend.limits import DRILL_READS
from memtend.memory import Memory
from memtend.model.stored import StoredRow
from memtend.serving.base import Serving
from memtend.serving.fresh import apply_fresh, plan_fresh
from memtend.serving.wishing import wishing
from memtend.store import schema
from memtend.store.verify import verify_store


class Drilling:
    """`run` once; then `checks` and the figures say what was found."""

    def __init__(
        self, serving: Serving, repository: Repository, wished: Wished, manifest: str
    ) -> None:
        self._clock: Clock = serving.clock
        # Under the live store's key, so that the audit trail is checked and not only carried.
        beside = f"{serving.store.engine.path}.key" if serving.store.engine.path else None
        self._key_path = serving.settings.key_path or (Path(beside) if beside else None)
        self._settings = serving.settings.model_copy(update={"key_path": self._key_path})
        self._repository = repository
        self._wished = wished
        self._manifest = manifest
        self.checks: list[DrillCheck] = []
        self.rows = self.reads = self.open_ns = 0
        self.root = self.total = ""

    def run(self, scratch: str) -> None:
        if self._restore(scratch):
            self._look(scratch)
        self._plant()

    def _check(self, name: str, fact: str, *, ok: bool = True) -> None:
        self.checks.append(DrillCheck(name=name, ok=ok, fact=fact))

    def _restore(self, scratch: str) -> bool:
        """Everything is read, built, and compared with sum, root and counts of the manifest."""
        began_ns = self._clock.monotonic_ns()
        url = self._repository.store.url
        try:
            plan = plan_fresh(
                self._settings, self._clock, url, manifest=self._manifest, compare=False
            )
            report = apply_fresh(plan, scratch, self._settings, self._clock)
        except MemtendError as error:
            self._check("restore", f"error {error.code}: {error}", ok=False)
            return False
        self.open_ns = self._clock.monotonic_ns() - began_ns
        self.rows, self.root, self.total = report.rows, report.root, report.state_sum
        self._check("restore", f"{report.rows:,} records as the manifest counts and sums them")
        return True

    def _look(self, scratch: str) -> None:
        began_ns = self._clock.monotonic_ns()
        key_path = str(self._key_path) if self._key_path else None
        with Memory.open(
            scratch, clock=self._clock, create=False, durability="normal", key_path=key_path
        ) as memory:
            self.open_ns += self._clock.monotonic_ns() - began_ns
            found = self._wished.manifest.store.schema_version
            self._check("schema", f"taken at {found}, open at {schema.HEAD}")
            report = verify_store(memory.store)
            fact = f"{report.rows:,} rows and {report.audit_entries:,} audit entries verified"
            if not report.ok:
                first = report.findings[0]
                fact = f"{report.damage_count:,} damaged parts: {first.where}: {first.why}"
            self._check("verify", fact, ok=report.ok)
            self._read(memory)

    def _read(self, memory: Memory) -> None:
        """Records spread over the backup, read as an agent reads them."""
        text_of = opener(self._wished.side())
        wrong = 0
        for row in self._sample():
            wrong += memory.get(row.namespace, row.key) != _value(row, text_of)
            self.reads += 1
        fact = f"{self.reads:,} records read through the memory"
        self._check("reads", fact if not wrong else f"{wrong:,} of {fact} differ", ok=not wrong)

    def _sample(self) -> Iterator[StoredRow]:
        stride = max(1, self._wished.manifest.records // DRILL_READS)
        now_ms = self._clock.now_ms()
        held: StoredRow | None = None
        alone = False
        for number, row in enumerate(self._wished.rows()):
            if held is not None and row[:3] == held[:3]:
                alone = False
                continue
            if held is not None and alone:
                yield held
            held, alone = None, False
            if number % stride == 0 and _is_plain(row, now_ms):
                held, alone = row, True
        if held is not None and alone:
            yield held

    def _plant(self) -> None:
        """One bit of one object is changed on the way: reading the backup must raise."""
        segments = [ref for _, one in self._wished.chosen.chain for ref in one.segments]
        victim = segments[int(self._clock.new_id()[:8], 16) % len(segments)]
        planted = Planted(self._repository.store, object_name(victim.object))
        cipher, identity = self._repository.cipher, self._repository.identity
        try:
            with wishing(Repository(planted, identity, cipher), None, None, self._manifest) as (
                _,
                wished,
            ):
                streams = (wished.rows(), wished.log(), wished.chosen.side(),
                           wished.chosen.audit(), wished.access())  # fmt: skip
                for stream in streams:
                    for _row in stream:
                        pass
        except MemtendError as error:
            fact = f"one bit of {victim.object[:12]} was changed on the way: error {error.code}"
            self._check("corruption", fact)
            return
        fact = f"one bit of {victim.object} was changed on the way, and nothing was noticed"
        self._check("corruption", fact, ok=False)


def _is_plain(row: StoredRow, now_ms: int) -> bool:
    """Whether a reader gets exactly this row's value."""
    return (
        not row.field
        and type_of(row.flags) == RowKind.PLAIN
        and not row.flags & QUARANTINED_FLAG
        and codec_of(row.flags) != Codec.ARCHIVED
        and (row.exp_ms is None or row.exp_ms > now_ms)
    )


def _value(row: StoredRow, text_of: TextOf) -> object:
    return orjson.loads(text_of(unpack(row.body), codec_of(row.flags), row.value))
