"""Siblings as readers see them: checked, opened, told apart from those that have expired."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from memtend.codec.address import Address
from memtend.codec.envelope import Body
from memtend.crdt import tally
from memtend.crdt.rows import RowKind, Sibling, is_visible


class Seen(NamedTuple):
    """One visible sibling: its metadata, the canonical text of its value, its deadline.

    `stub` is the address of an archived value, whose text is empty until it is asked for.
    """

    body: Body
    text: bytes
    exp: int | None
    stub: Address | None = None

    @property
    def sibling(self) -> Sibling:
        """As the pure rules of `crdt.rows` see it."""
        body = self.body
        return Sibling(body.dot, body.ts, self.exp, self.text, RowKind(body.type))

    @property
    def value(self) -> Any:
        return orjson.loads(self.text)


def visible(seen: list[Seen], now_ms: int) -> list[Seen]:
    """A counter lives as long as its longest part (6.8); other siblings each for themselves."""
    parts = [one.sibling for one in seen if one.body.type == RowKind.COUNTER]
    counting = bool(parts) and tally.value(parts, now_ms) is not None
    return [
        one
        for one in seen
        if (counting if one.body.type == RowKind.COUNTER else is_visible(one.sibling, now_ms))
    ]


def newest(seen: list[Seen]) -> Seen:
    """The winner by the key of CRDT_SPEC 3.1."""
    return seen[0] if len(seen) == 1 else max(seen, key=lambda one: one.sibling.order)


def counter_value(seen: list[Seen]) -> int:
    """The value of a counter from its visible parts."""
    return tally.value([one.sibling for one in seen], now_ms=0) or 0
