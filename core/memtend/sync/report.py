"""What a sync did. Data, safe to print and to keep: no value, no address with credentials."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel


class PeerKind(StrEnum):
    """A store that is reached directly, a place, or a replica that was met in a place."""

    STORE = "store"
    PLACE = "place"
    MEMBER = "member"


class Way(BaseModel, frozen=True, extra="forbid"):
    """One direction. `records` travelled; `added` values were new there, `dropped` ones had ended.

    Into a place only `records`, `deltas` and `bytes` are known. `bytes` are those of the pages, as
    they travel. `vv` is what the receiver has seen afterwards; `renewed` its new replica id, where
    somebody had events under its old one that it never wrote.
    """

    records: int = 0
    added: int = 0
    dropped: int = 0
    erased: int = 0
    deltas: int = 0
    bytes: int = 0
    full: bool = False
    seconds: float = 0.0
    vv: dict[str, int] = {}
    alarms: tuple[str, ...] = ()
    renewed: str = ""

    def plus(self, other: Way) -> Way:
        """Both, one after the other."""
        counts = ("records", "added", "dropped", "erased", "deltas", "bytes", "seconds")
        sums = {name: getattr(self, name) + getattr(other, name) for name in counts}
        return Way(
            **sums,
            full=self.full or other.full,
            vv=other.vv or self.vv,
            alarms=(*self.alarms, *other.alarms),
            renewed=other.renewed or self.renewed,
        )


class SyncFinding(BaseModel, frozen=True, extra="forbid"):
    """What was left out, and why; `code` is that of the error, where it was one."""

    where: str
    why: str
    code: int = 0


class SyncReport(BaseModel, frozen=True, extra="forbid"):
    """One sync with one peer. What was not asked for is None: `pulled`, `pushed`.

    `members` counts the other replicas in a place. `rejoined` is our new replica id, where the
    others had retired the old one; `peer_rejoined` theirs. `behind` is the epoch of a peer that
    was rolled back with everybody while we were not: `memtend sync --bootstrap` joins it.
    `unsent` writes were saved in the file `saved` before that; `late` ones came during it and are
    in the store that was replaced. `renewed` is our new replica id, where we turned out to be a
    copy. `conflicts` are keys that came to hold several concurrent values.
    """

    operation: str = "sync"
    peer: str
    name: str = ""
    kind: PeerKind
    at: AwareDatetime
    replica: str
    epoch: int
    pulled: Way | None = None
    pushed: Way | None = None
    members: int = 0
    conflicts: int = 0
    rejoined: str = ""
    peer_rejoined: str = ""
    behind: int | None = None
    bootstrapped: bool = False
    renewed: str = ""
    unsent: int = 0
    late: int = 0
    saved: str = ""
    log_dropped: int = 0
    alarms: tuple[str, ...] = ()
    findings: tuple[SyncFinding, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was done with everybody."""
        return self.behind is None and not self.findings


class PeerEntry(BaseModel, frozen=True, extra="forbid"):
    """A peer as people see it. `backlog` counts our events that it has not acknowledged."""

    id: str
    name: str
    kind: PeerKind
    url: str
    met_at: AwareDatetime | None
    heard_at: AwareDatetime | None
    retired_at: AwareDatetime | None
    backlog: int
    accept: tuple[str, ...]
    seen: dict[str, int]


class PeerList(BaseModel, frozen=True, extra="forbid"):
    """All peers of a store, those with an address first."""

    replica: str
    vv: dict[str, int]
    peers: tuple[PeerEntry, ...]
