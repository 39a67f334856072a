"""What an export wrote, and what it did not and why."""

from __future__ import annotations

from collections import Counter

from pydantic import AwareDatetime, BaseModel, Field

from memtend.export.plan import Format
from memtend.limits import EXPORT_NAMED_MAX

DAMAGED = "damaged in the store; run `memtend verify`"


class LeftOut(BaseModel, frozen=True, extra="forbid"):
    """Records that are not in the export, and why; `names` are the first of them."""

    why: str
    count: int = Field(ge=1)
    names: tuple[str, ...] = ()


class ExportReport(BaseModel, frozen=True, extra="forbid"):
    """`counts` are records by kind, with the version where they have one, as `pattern 2.0.0`.

    `losses` counts by field what an older version of the items cannot hold. The export is the
    state of the store at sequence number `seq`.
    """

    operation: str = "export"
    url: str
    format: Format
    at: AwareDatetime
    store_id: str
    seq: int = Field(ge=0)
    records: int = Field(ge=0)
    counts: dict[str, int] = Field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    losses: dict[str, int] = Field(default_factory=dict)
    files: int = Field(ge=0)
    written_bytes: int = Field(ge=0)
    seconds: float = 0.0

    @property
    def damaged(self) -> int:
        return sum(one.count for one in self.left_out if one.why == DAMAGED)


class Tally:
    """Counts while an export runs. `seen` is how many records were looked at so far."""

    def __init__(self) -> None:
        self.seen = self.records = self.files = self.written_bytes = 0
        self.counts: Counter[str] = Counter()
        self.losses: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._names: dict[str, list[str]] = {}

    def took(self, kind: str, version: str | None = None) -> None:
        self.records += 1
        self.counts[kind if version is None else f"{kind} {version}"] += 1

    def leave_out(self, path: str, why: str) -> None:
        self._left_out[why] += 1
        names = self._names.setdefault(why, [])
        if len(names) < EXPORT_NAMED_MAX:
            names.append(path)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        return tuple(
            LeftOut(why=why, count=count, names=tuple(self._names[why]))
            for why, count in sorted(self._left_out.items())
        )
