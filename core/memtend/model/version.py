"""One of several concurrent values of a key, as a user's function is shown it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias


class Version(NamedTuple):
    """`at` is when it was written by the writer's clock, `replica` where, `writer` by whom."""

    value: Any
    at: datetime
    writer: str | None
    agent: str | None
    replica: str


Resolver: TypeAlias = Callable[[Sequence[Version]], Any]
"""A pure function from two or more versions, oldest first, to the value that readers are shown.

The order is the same at every replica. Nothing but the versions may decide the answer: no clock, no
dice, no other record. Otherwise replicas with equal states show different values.
"""
