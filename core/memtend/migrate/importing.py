"""The plan of an import: how much of what, what is refused and why, and what would be written.

    with Planner() as planner:
        planner.take([(item, judge(item, standing, …))])    # batch by batch, in the source's order
        planner.set_aside(quarantined)
        plan = planner.plan(run=…, source=…, …)             # pure: nothing was written

What would be written is named by pins, eight bytes an item: exactly these versions of exactly these
items will be written, and nothing that has changed in the source since. Decisions, refusals and
what cannot be read are named up to a bound and counted without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from memtend.limits_foreign import IMPORT_TOLD_MAX
from memtend.migrate.items import ImportItem, PassedOver, Quarantined
from memtend.migrate.judging import Judged
from memtend.migrate.twins import Entry, Twins, name_of
from memtend.model.plan import Action, Decision, Plan, Report

_OTHERS: Final = "others"
_TWIN: Final = Judged(Action.REFUSE, "another item of the source has this name")
_AGAIN: Final = Judged(Action.REFUSE, "the same item again")


class ImportDecision(Decision, frozen=True, extra="forbid"):
    """What one item would do. `digest` pins the content that was looked at."""

    import_id: str
    digest: str


class Refusal(BaseModel, frozen=True, extra="forbid"):
    """An item that is not written, by the name that it would have, and why."""

    namespace: str
    key: str
    reason: str


class ImportPlan(Plan):
    """What an import would do. `total` counts items, `counts` those of each kind and version, as
    `pattern 1.2.0`, `actions` what they would do.

    `decisions`, `refusals`, `quarantined` and `passed_over` name the first of them only; what was
    quarantined comes without its bytes. `pins` are sorted numbers of eight bytes, one for each item
    that would be written. `run` names this import in the lineage of what it writes.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    source: str
    kind: str
    run: str
    zone: str = "UTC"
    allow_pickle: bool = False
    decisions: tuple[ImportDecision, ...] = Field(default=(), max_length=IMPORT_TOLD_MAX)
    counts: dict[str, int] = Field(default_factory=dict)
    actions: dict[str, int] = Field(default_factory=dict)
    refusals: tuple[Refusal, ...] = Field(default=(), max_length=IMPORT_TOLD_MAX)
    quarantined: tuple[Quarantined, ...] = Field(default=(), max_length=IMPORT_TOLD_MAX)
    quarantined_count: int = 0
    passed_over: tuple[PassedOver, ...] = Field(default=(), max_length=IMPORT_TOLD_MAX)
    passed_over_count: int = 0
    naive_times: int = 0
    without_metrics: int = 0
    erased: int = 0
    size_bytes: int = 0
    pins: bytes = Field(default=b"", repr=False)

    def model_post_init(self, _context: object, /) -> None:
        if len(self.pins) % 8:
            raise ValueError("its pins are no numbers of eight bytes")

    @property
    def writes(self) -> int:
        """How many items would be written."""
        return len(self.pins) // 8

    @property
    def expired(self) -> int:
        return self.actions.get(Action.SKIP, 0)

    @property
    def refused(self) -> int:
        """Items that are not written because of what is there; the erased are counted apart."""
        return self.actions.get(Action.REFUSE, 0) - self.erased


class ImportReport(Report, frozen=True, extra="forbid"):
    """What an import did. `refused` counts items, `quarantined` what could not be read.

    `quarantine_url` is where the bytes of the latter are, if there are any.
    """

    source: str
    kind: str
    run: str
    counts: dict[str, int] = Field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    expired: int = 0
    erased: int = 0
    quarantined: int = 0
    quarantine_url: str | None = None


class Planner:
    """Gathers a plan item by item, in memory that grows by the pins alone."""

    def __init__(self) -> None:
        self._twins = Twins()
        self._decisions: list[ImportDecision] = []
        self._refusals: list[Refusal] = []
        self._quarantined: list[Quarantined] = []
        self._passed_over: list[PassedOver] = []
        self._counts: dict[tuple[str, str], int] = {}
        self._actions: dict[Action, int] = {}
        self._sums = dict.fromkeys(
            ("quarantined_count", "passed_over_count", "naive_times", "without_metrics", "erased",
             "size_bytes", "total"), 0)  # fmt: skip

    def __enter__(self) -> Self:
        self._twins.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._twins.__exit__(kind, error, trace)

    def set_aside(self, found: Quarantined | PassedOver) -> None:
        if isinstance(found, Quarantined):
            self._sums["quarantined_count"] += 1
            if len(self._quarantined) < IMPORT_TOLD_MAX:
                self._quarantined.append(found.model_copy(update={"data": b""}))
            return
        self._sums["passed_over_count"] += 1
        if len(self._passed_over) < IMPORT_TOLD_MAX:
            self._passed_over.append(found)

    def take(self, batch: Sequence[tuple[ImportItem, Judged]]) -> None:
        """Judged by the store; of several items with one name, the first one has it."""
        entries = [
            Entry(name_of(item.namespace, item.key, item.field), item.pin, judged.writes)
            for item, judged in batch
            if _names(judged)
        ]
        firsts = iter(self._twins.enter(entries))
        for item, judged in batch:
            first = next(firsts) if _names(judged) else None
            if first is None:
                self._decide(item, judged)
            else:
                self._decide(item, _AGAIN if first == item.pin else _TWIN)

    def _decide(self, item: ImportItem, judged: Judged) -> None:
        sums, at = self._sums, (item.labels.kind, item.source.format)
        sums["total"] += 1
        sums["naive_times"] += item.naive_times
        sums["without_metrics"] += item.without_metrics
        if at not in self._counts and len(self._counts) >= IMPORT_TOLD_MAX:
            at = (_OTHERS, "")
        self._counts[at] = self._counts.get(at, 0) + 1
        action = judged.action
        self._actions[action] = self._actions.get(action, 0) + 1
        sums["erased"] += judged.erased
        if judged.writes:
            sums["size_bytes"] += len(item.text)
        if len(self._decisions) < IMPORT_TOLD_MAX:
            self._decisions.append(_decision(item, judged))
        if action is Action.REFUSE and not judged.erased:
            add_refusal(self._refusals, item, judged.reason)

    def plan(self, **facts: Any) -> ImportPlan:
        """`facts`: run, source, kind, zone, allow_pickle, store_id, basis, made_at."""
        counts = {f"{kind} {form}".rstrip(): n for (kind, form), n in sorted(self._counts.items())}
        return ImportPlan(
            operation="import",
            decisions=tuple(self._decisions),
            truncated=self._sums["total"] > len(self._decisions),
            counts=counts,
            actions={action.value: count for action, count in sorted(self._actions.items())},
            refusals=tuple(self._refusals),
            quarantined=tuple(self._quarantined),
            passed_over=tuple(self._passed_over),
            pins=self._twins.pins(),
            **self._sums,
            **facts,
        )


def _names(judged: Judged) -> bool:
    """Whether the item has its name for itself: what does not come in leaves it to others."""
    return judged.action is not Action.SKIP and not judged.erased


def add_refusal(refusals: list[Refusal], item: ImportItem, reason: str) -> None:
    if len(refusals) < IMPORT_TOLD_MAX:
        refusals.append(Refusal(namespace=item.namespace, key=item.key, reason=reason))


def _decision(item: ImportItem, judged: Judged) -> ImportDecision:
    """An erased item is known by its number only."""
    source = item.source
    return ImportDecision(
        action=judged.action,
        namespace="erased" if judged.erased else item.namespace,
        key=source.import_id if judged.erased else item.key,
        reason=judged.reason,
        size_bytes=item.size_bytes,
        import_id=source.import_id,
        digest="" if judged.erased else source.digest,
    )
