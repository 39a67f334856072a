"""What a store is judged by: plain figures, read in one go. None is unknown, never zero."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel


class Fact(BaseModel, frozen=True, extra="forbid"):
    """Closed, and never changed."""


class PeerFacts(Fact):
    """`silent_ms` since it was last met; None: never. `backlog` counts events it has not seen."""

    name: str
    silent_ms: int | None
    retired: bool
    backlog: int


class Crowded(Fact):
    """How much of a bound is used. `what` may carry a name out of memory."""

    what: str
    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit


class RowsFacts(Fact):
    """A look at some of the rows. `damaged` is how many of those looked at so far on this way
    through, or the one before, are not whole; `found` names a few. `whole_ms` is how long ago
    every row had been looked at, `passed_rows` how many were since."""

    looked: int
    damaged: int
    found: tuple[str, ...] = ()
    passed_rows: int = 0
    whole_ms: int | None = None
    missing_dictionaries: tuple[int, ...] = ()


class OpFacts(Fact):
    """How long half of the operations of one sort took at most, and 95 of 100. `tier` is that of
    the coldest value they met."""

    op: str
    tier: str
    count: int
    p50_ms: float
    p95_ms: float


class RegretFacts(Fact):
    """Of what a rule has pruned, how much was missed since."""

    rule: str
    pruned: int
    missed: int

    @property
    def share(self) -> float:
        return self.missed / self.pruned if self.pruned else 0.0


class SavingFacts(Fact):
    """What could be saved, estimated from `sample` rows of the store for the whole of it. Free
    pages and what has expired are counted."""

    sample: int = 0
    sweep_bytes: int = 0
    free_bytes: int = 0
    gives_back: bool = True
    """Whether free pages can go without writing the whole file again."""
    duplicates: int = 0
    duplicate_bytes: int = 0
    compress: int = 0
    compress_bytes: int = 0
    archive: int = 0
    archive_bytes: int = 0
    prune: int = 0
    prune_bytes: int = 0


class HealthFacts(Fact):
    """Everything the checks look at."""

    at: AwareDatetime
    records: int
    bytes: int
    file_bytes: int
    backlog: int | None
    clock_alarm_ms: int | None
    pressure: tuple[Crowded, ...]
    disk_free_bytes: int | None
    backup_asked: bool
    backup_age_ms: int | None
    backup_rows: int | None
    backup_known: bool = True
    """Whether the store knows of a backup into any target, asked about or not."""
    engine_notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be read at all, and why: each makes one of the facts unknown."""

    ahead_ms: int = 0
    """How far the newest write is ahead of this clock."""
    structure: tuple[str, ...] | None = None
    """What is missing or unusable in the schema."""
    lost_file_bytes: int = 0
    rows: RowsFacts | None = None
    tables: tuple[str, ...] | None = None
    """Rows of small tables that do not match their checksums."""
    engine_found: tuple[str, ...] | None = None
    """What the database's own check found, where it was asked in full."""
    audit: str | None = None
    """Why the end of the trail does not check; empty where it does."""
    key_is_open: bool = False
    statistics: str | None = None
    """Why what the planner knows does not fit; empty where it does."""
    wal_bytes: int | None = None
    ballast: tuple[int, int] = (0, 0)
    """Files that are there, and that should be."""
    bounds: tuple[Crowded, ...] = ()
    slow: tuple[OpFacts, ...] = ()
    """Operations of the last day, fast ones too."""
    log_age_ms: int | None = None
    log_rows: int = 0
    waiters: int = 0
    waited_for: str = ""
    policy_troubles: tuple[str, ...] = ()
    regret: tuple[RegretFacts, ...] = ()
    alerts: dict[str, int] = {}
    """Standing ones by level."""
    archived: int = 0
    archive_trouble: str | None = None
    models: int = 0
    """In use."""
    model_trouble: str | None = None
    """Why one of them cannot be asked."""
    chain_length: int | None = None
    """Backups that the newest one needs, itself counted; None where nobody looked."""
    chain_trouble: str | None = None
    target_trouble: str | None = None
    """Why the target could not be looked at."""

    drill_age_ms: int | None = None
    """Since the last drill that passed."""
    drill_passed: bool | None = None
    """Whether the last one did."""
    backed_up_ms: int | None = None
    """Since the first backup."""
    conflicts: int | None = 0
    """Keys with several concurrent values; counting ends at `CONFLICTS_MAX`."""
    conflicts_sampled: bool = False
    """Whether only the newest changes were looked at."""
    siblings_most: int = 0
    """The most that one of them has."""
    peers: tuple[PeerFacts, ...] = ()
    messages_waiting: int = 0
    messages_dead: int = 0
    messages_age_ms: int | None = None
    """Since the oldest of those that wait was sent."""
    inbox_fullest: float = 0.0
    """The share of its bound that the fullest inbox has used."""
    older_values: str | None = None
    """What waits to be migrated, in words."""
    savings: SavingFacts = SavingFacts()
