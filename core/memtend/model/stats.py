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


class Stats(BaseModel, frozen=True, extra="forbid"):
    """`bytes` are those of values and metadata as stored; `file_bytes` what the engine occupies."""

    records: int
    bytes: int
    file_bytes: int
    changes: int
    namespaces: tuple[Share, ...]
    agents: tuple[Share, ...]
    sessions: tuple[Share, ...]
    pressure: tuple[Pressure, ...]
