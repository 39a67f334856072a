"""What is to become of one thing on the Prefect server, and the way to do it.

A list of changes is a plan: making it reads and changes nothing; what is as it should be is a
change too, with nothing to do, so that people see that it was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

_SHORT = 40
"""Values of so many characters are told; of longer ones only that they differ."""


class State(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OBSOLETE = "obsolete"


class Change(NamedTuple):
    """`what` differs, in words. `do` brings it about; None where nothing is to be done."""

    kind: str
    name: str
    state: State
    what: tuple[str, ...] = ()
    do: Callable[[], object] | None = None

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {"kind": self.kind, "name": self.name, "state": self.state, "what": list(self.what)}


def compared(
    kind: str,
    name: str,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any] | None,
    do: Callable[[], object],
) -> Change:
    """A thing as it should be beside what the server has of it; None: nothing."""
    if theirs is None:
        return Change(kind, name, State.NEW, (), do)
    what = tuple(_differences(ours, theirs))
    return Change(kind, name, State.CHANGED, what, do) if what else Change(
        kind, name, State.UNCHANGED
    )  # fmt: skip


def carry_out(changes: Iterable[Change]) -> None:
    """In their order: what others need comes before them. Cut off, it is finished by repeating."""
    for change in changes:
        if change.do is not None:
            change.do()


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterable[str]:
    for name, value in ours.items():
        was = theirs.get(name)
        if was == value:
            continue
        short = all(isinstance(one, str | int) and len(str(one)) < _SHORT for one in (was, value))
        yield f"{name}: {was} → {value}" if short else name
