"""What a store says about one path, as somebody sees it who wants to bring something in there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from memtend.model.dot import Dot


class Held(NamedTuple):
    """A stored sibling. `content` is the number by which equal values are found.

    `live`: its deadline has not passed. `shown`: it is live and not in quarantine.
    """

    dot: Dot
    content: int
    counter: bool
    live: bool
    shown: bool
    extra: Mapping[str, Any]


class Standing(NamedTuple):
    """Every sibling of a path. Where none is left, when and why the last one went.

    `damaged` says how many siblings cannot be read.
    """

    held: tuple[Held, ...] = ()
    damaged: int = 0
    ended: str | None = None
    ended_ms: int = 0

    @property
    def seen(self) -> frozenset[Dot]:
        return frozenset(one.dot for one in self.held)

    @property
    def shown(self) -> frozenset[Dot]:
        return frozenset(one.dot for one in self.held if one.shown)


NOTHING = Standing()
