"""What the report is made of: plain values, read in one go, none of them by a scan.

Times are milliseconds. None means unknown, never zero; an empty tuple means that there is none yet.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel

from memtend.model.pictures import StrategyPictures, TtlPictures


class Point(NamedTuple):
    """A figure at a time."""

    at_ms: int
    value: float


class Checked(NamedTuple):
    """One check of the health report."""

    name: str
    level: str
    fact: str
    hint: str
    penalty: int


class Chance(NamedTuple):
    """Something that would make the store smaller or faster, and the command that does it."""

    name: str
    fact: str
    saves_bytes: int | None
    saves_ms: float | None
    command: str


class Alarm(NamedTuple):
    """An alert that stands."""

    level: str
    rule: str
    scope: str
    state: str
    fact: str
    hint: str
    since_ms: int


class Due(NamedTuple):
    """Records whose deadline comes after `after_ms` and up to `until_ms`; None: whenever.

    Where not `exact`, there are at least as many as were counted, and the number is estimated.
    """

    label: str
    after_ms: int | None
    until_ms: int | None
    records: int
    exact: bool = True


class Sized(NamedTuple):
    """A namespace, an agent or a tier, and what it holds."""

    name: str
    records: int
    bytes: int


class KindShare(NamedTuple):
    """What an agent holds of one kind. An empty name of an agent is nobody's."""

    agent: str
    kind: str
    records: int
    bytes: int


class Kinds(NamedTuple):
    """`looked_at` of `of` rows were read for this; fewer than all make it an estimate."""

    shares: tuple[KindShare, ...]
    looked_at: int
    of: int


class Saved(NamedTuple):
    """What archiving saves: negative where it costs more than it saves."""

    records: int
    before_bytes: int
    stub_bytes: int
    archive_bytes: int


class Prune(NamedTuple):
    """One prune. `rules` counts its records by the rule that decided."""

    at_ms: int
    plan: str
    records: int
    bytes: int
    undone_ms: int | None
    rules: tuple[tuple[str, int], ...] = ()


class Missed(NamedTuple):
    """How many of the records that a rule has pruned somebody asked for since."""

    rule: str
    namespace: str
    pruned: int
    missed: int
    reads: int


class ArchiveMove(NamedTuple):
    """One run of the archive. `records` counts those that are still packed under it."""

    run: int
    at_ms: int
    records: int
    rules: tuple[tuple[str, int], ...] = ()


class Backup(NamedTuple):
    at_ms: int
    place: str
    records: int
    bytes: int
    verified_ms: int | None


class Drill(NamedTuple):
    """The last one of a target. `good_ms` is when one last passed."""

    place: str
    at_ms: int
    passed: bool
    fact: str
    good_ms: int | None


class Speed(NamedTuple):
    """How long operations of one sort took, in milliseconds."""

    op: str
    tier: str
    operations: int
    p50: float
    p95: float
    p99: float


class Insight(NamedTuple):
    """Something learned from outcomes, with how sure that is."""

    fact: str
    sure: str


class ModelKnown(NamedTuple):
    """A model in the registry. `why` is the gate's word."""

    scenario: str
    kind: str
    status: str
    at_ms: int
    rows: int
    why: str


class Strategies(NamedTuple):
    """What the pictures of the model that is followed in a scenario show."""

    scenario: str
    pictures: StrategyPictures


class Tried(NamedTuple):
    """A time to live that is tried on a part of the keys, or was."""

    namespace: str
    before: str
    after: str
    state: str
    at_ms: int
    why: str


class Unread(NamedTuple):
    """A part that is not in the report, and why it could not be read."""

    part: str
    why: str


class ReportFacts(BaseModel, frozen=True, extra="forbid"):
    """One store as it is, and how it came to be so."""

    url: str
    store_id: str
    at: AwareDatetime
    made_at: AwareDatetime
    program: str
    records: int
    bytes: int
    file_bytes: int
    changes: int
    quota_bytes: int
    score: int | None = None
    level: str | None = None
    checks: tuple[Checked, ...] = ()
    chances: tuple[Chance, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    growth: tuple[Point, ...] = ()
    scores: tuple[Point, ...] = ()
    expiry: tuple[Due, ...] = ()
    namespaces: tuple[Sized, ...] = ()
    agents: tuple[Sized, ...] = ()
    tiers: tuple[Sized, ...] = ()
    kinds: Kinds = Kinds((), 0, 0)
    saved: Saved = Saved(0, 0, 0, 0)
    compression: float | None = None
    prunes: tuple[Prune, ...] = ()
    regrets: tuple[Missed, ...] = ()
    moves: tuple[ArchiveMove, ...] = ()
    unread: tuple[Unread, ...] = ()
    backups: tuple[Backup, ...] = ()
    drills: tuple[Drill, ...] = ()
    speeds: tuple[Speed, ...] = ()
    insights: tuple[Insight, ...] = ()
    outcomes: int = 0
    accesses: int = 0
    models: tuple[ModelKnown, ...] = ()
    strategies: tuple[Strategies, ...] = ()
    keeping: TtlPictures | None = None
    trials: tuple[Tried, ...] = ()


class ReportWritten(BaseModel, frozen=True, extra="forbid"):
    """Where the page is, and what it says in short."""

    operation: str = "report"
    path: str
    bytes: int
    at: AwareDatetime
    store_id: str
    records: int
    stored_bytes: int
    score: int | None
    level: str | None
    alerts: int | None  # None where they could not be read
    seconds: float
