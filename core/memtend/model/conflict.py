"""Conflicts: keys with several concurrent values, or with a value of another kind than theirs."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from memtend.model.dot import Dot


class Conflict(BaseModel, frozen=True, extra="forbid"):
    """One contested key, or field of a map.

    `siblings` counts what is visible, `values` how many different ones are among it, `foreign` what
    is of another kind than the key. It has been a conflict `since` the second of them was written.
    """

    namespace: str
    key: str
    field: str = ""
    siblings: int
    values: int
    foreign: int = 0
    since: AwareDatetime
    newest: AwareDatetime

    @property
    def path(self) -> str:
        return f"{self.namespace}/{self.key}" + (f"#{self.field}" if self.field else "")


class Competitor(BaseModel, frozen=True, extra="forbid"):
    """One of the concurrent values. `kind` is value, counter, element or field; of a part of a
    counter, `value` is what it adds."""

    number: int
    kind: str
    value: Any
    writer: str | None = None
    agent: str | None = None
    replica: str
    dot: Dot
    at: AwareDatetime
    expires_at: AwareDatetime | None = None
    foreign: bool = False


class ConflictView(BaseModel, frozen=True, extra="forbid"):
    """A conflict in full: its values, oldest first, and what each policy would show of them.

    `seen` names exactly these values: whoever settles the conflict by it is refused if there are
    others by then.
    """

    conflict: Conflict
    strategy: str
    siblings: tuple[Competitor, ...]
    shows: dict[str, Any] = Field(default_factory=dict)
    problems: tuple[str, ...] = ()
    seen: str
