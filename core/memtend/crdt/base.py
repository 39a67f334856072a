"""What every replicated type offers, and the laws it keeps (CRDT_SPEC 9.1).

Merging is commutative, associative and idempotent; no update and no merge ever loses what a state
has seen; encoding is exact; a delta does for its receiver what the whole state would.

Values are canonical JSON texts (bytes), so that equality is exact (`1`, `1.0` and `true` differ)
and every replica orders them alike. Whoever holds a state must treat it as frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, Self, TypeAlias

from memtend.limits import INTEGER_ABS_MAX, REPLICAS_MAX

Json: TypeAlias = Any
HLC_MAX: Final = 2**63 - 1


class Replicated(Protocol):
    """A join semilattice whose least element is the type called without arguments."""

    def merge(self, other: Self, /) -> Self:
        """The least state that has seen what both have seen."""

    def delta(self, known: Self, /) -> Self:
        """A state, no bigger than this one, that brings a holder of `known` up to date."""

    def encode(self) -> Json:
        """The state in plain JSON values; equal states give equal values."""

    @classmethod
    def decode(cls, data: Json, /) -> Self:
        """The state that was encoded. Raises `ValueError` on anything else."""


def includes(state: Replicated, other: Replicated) -> bool:
    """Whether `state` has seen everything that `other` has: `other ⊑ state`."""
    return bool(state.merge(other) == state)


def integer(data: Json, most: int = INTEGER_ABS_MAX) -> int:
    """`data` if it is a whole number in 0..most."""
    if type(data) is not int or not 0 <= data <= most:
        raise ValueError("expected a whole number in range")
    return data


def text(data: Json) -> str:
    if type(data) is not str:
        raise ValueError("expected text")
    return data


def items(data: Json, count: int | None = None) -> list[Json]:
    """`data` if it is a list, of `count` items if stated."""
    if type(data) is not list or (count is not None and len(data) != count):
        raise ValueError("expected a list")
    return data


def entries(data: Json, most: int = REPLICAS_MAX) -> dict[str, Json]:
    """`data` if it is an object of at most `most` entries."""
    if type(data) is not dict or len(data) > most:
        raise ValueError("expected an object")
    return {text(key): value for key, value in data.items()}


def sorted_object(mapping: Mapping[str, Json]) -> dict[str, Json]:
    return {key: mapping[key] for key in sorted(mapping)}
