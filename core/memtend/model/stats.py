"""How much is stored, by whom and where, and how close that is to the quotas."""

from __future__ import annotations

from pydantic import BaseModel


class Share(BaseModel, frozen=True, extra="forbid"):
    """`records` counts stored rows: expired ones until they are swept, each sibling by itself."""

    name: str
    records: int
    bytes: int


class Pressure(BaseModel, frozen=True, extra="forbid"):
    """A quota that is nearly or fully used. `share` is used / limit."""

    scope: str
    name: str
    bytes: int
    limit_bytes: int
    share: float


class Archived(BaseModel, frozen=True, extra="forbid"):
    """What archiving saves. `before_bytes` is what the archived records took while they were here,
    `stub_bytes` what is left of them in the store, `archive_bytes` their share of the archive.
    `saved_bytes` is what that leaves; it is negative where archiving cost more than it saved.
    """

    records: int = 0
    before_bytes: int = 0
    stub_bytes: int = 0
    archive_bytes: int = 0
    saved_bytes: int = 0
    saved_share: float = 0.0


class Stats(BaseModel, frozen=True, extra="forbid"):
    """`bytes` are those of values and metadata as stored; `file_bytes` what the engine occupies.

    `tiers` are the same records by where their values are: hot (as written), warm (compressed) and
    cold (in the archive; the bytes are those that stay here).
    """

    records: int
    bytes: int
    file_bytes: int
    changes: int
    namespaces: tuple[Share, ...]
    agents: tuple[Share, ...]
    sessions: tuple[Share, ...]
    tiers: tuple[Share, ...] = ()
    archived: Archived = Archived()
    pressure: tuple[Pressure, ...]
