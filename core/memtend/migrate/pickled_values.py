"""What a pickle of this kind can hold, and how each of it is written as JSON, one to one.

Text, numbers, lists and tables with text keys are themselves. The rest is a table with one key:

    b"ab"                {"$bytes": "YWI="}             base64
    (1, 2)               {"$tuple": [1, 2]}
    {2, 1}               {"$set": [1, 2]}               sorted; also "$frozenset"
    a moment             {"$datetime": "2026-08-13T00:44:02.454039"}, with `+00:00` if it has a zone
    a duration           {"$timedelta_us": 1500000}
    2**60, inf           {"$int": "1152921504606846976"}, {"$float": "inf"}
    {1: "a"}             {"$dict": [[1, "a"]]}          keys that are no text, or start with `$`
    a tier, an item      {"$tier": "semantic"}, {"$item": {…}}

A moment also says `"fold": 1` and `"zone": "CET"` where it knows; a zone alone is `$timezone_us`.

A pickle may name the same list ten thousand times or hold itself; written out, that would have no
end. So everything written counts against one budget, and what is inside itself is refused.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from memtend.codec.canonical import decode, encode
from memtend.errors import InvalidValue, LimitExceeded
from memtend.limits import INTEGER_ABS_MAX, VALUE_BYTES_MAX, VALUE_DEPTH_MAX
from memtend.limits_foreign import PICKLE_INTEGER_BITS_MAX, PICKLE_OPERATIONS_MAX
from memtend.model.unreadable import Unreadable

_MICROSECOND: Final = timedelta(microseconds=1)
_CONTAINER_BYTES: Final = 150  # what an empty one costs in memory


class Tier(str):
    """The name of a tier, out of an enum that is not here."""

    __slots__ = ()


class Item:
    """An object of the class `MemoryItem`: its fields, and nothing of its class."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: Table | None = None


class Table:
    """A dict. A key that is no text is kept as its JSON: no foreign thing is ever hashed, which
    could take for ever, and nothing foreign is ever compared."""

    __slots__ = ("others", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, Any] = {}
        self.others: dict[bytes, Any] | None = None


class Bag:
    """A set or frozenset, by the JSON of its members."""

    __slots__ = ("members", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[bytes, None] = {}


_CONTAINERS: Final = (list, tuple, Table, Bag, Item)


class Writer:
    """Writes values of one pickle as JSON, within one budget for all of them together."""

    def __init__(self) -> None:
        self._values = 2 * PICKLE_OPERATIONS_MAX  # members of sets count when read and when written
        self._bytes = VALUE_BYTES_MAX
        self._inside: set[int] = set()
        self._fixed = False

    def json(self, value: Any) -> Any:
        """Raises `Unreadable` for what is inside itself, too deep, or too much."""
        self._count()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            self._spend(len(_encoded(str(value))))
            return {"$tier": str(value)} if isinstance(value, Tier) else value
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, bytes):
            self._spend(len(value) * 4 // 3)
            return {"$bytes": base64.b64encode(value).decode()}
        return self._container(value) if isinstance(value, _CONTAINERS) else _time(value)

    def member(self, value: Any) -> bytes:
        """Canonical JSON of a member of a set or a key of a table: of what can never change."""
        self._fixed, before = True, self._fixed
        try:
            # What orjson returns holds on to the 4 KiB it was written into; a copy does not.
            return bytes(memoryview(_encoded(self.json(value))))
        finally:
            self._fixed = before

    def _container(self, value: Any) -> Any:
        if id(value) in self._inside:
            raise Unreadable("it holds itself")
        if len(self._inside) >= VALUE_DEPTH_MAX:
            raise Unreadable(f"it is nested deeper than {VALUE_DEPTH_MAX}")
        if self._fixed and not (
            isinstance(value, tuple) or getattr(value, "name", "") == "frozenset"
        ):
            raise Unreadable("it has a key or a member of a set that can change")
        self._spend(_CONTAINER_BYTES)
        self._inside.add(id(value))
        try:
            return self._written(value)
        finally:
            self._inside.discard(id(value))

    def _written(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.json(one) for one in value]
        if isinstance(value, tuple):
            return {"$tuple": [self.json(one) for one in value]}
        if isinstance(value, Bag):
            return {f"${value.name}": list(self._decoded(sorted(value.members)))}
        if isinstance(value, Item):
            return {"$item": self.json(value.fields)}
        return self._table(value)

    def _table(self, table: Table) -> Any:
        if not table.others and not any(key.startswith("$") for key in table.texts):
            return {self.json(key): self.json(one) for key, one in table.texts.items()}
        texts = {self.member(key): one for key, one in table.texts.items()}
        pairs = sorted({**texts, **(table.others or {})}.items(), key=lambda pair: pair[0])
        keys = self._decoded(key for key, _ in pairs)
        return {"$dict": [[key, self.json(one)] for key, (_, one) in zip(keys, pairs, strict=True)]}

    def _decoded(self, members: Iterable[bytes]) -> Iterator[Any]:
        """Members are counted again wherever they are written, for they may be large."""
        for member in members:
            self._count(len(member))
            yield decode(member)

    def _count(self, size: int = 8) -> None:
        self._values -= 1
        if self._values < 0:
            raise Unreadable("written out, it has too many values")
        self._spend(size)

    def _spend(self, size: int) -> None:
        self._bytes -= size
        if self._bytes < 0:
            raise Unreadable(f"written out, it has more than {VALUE_BYTES_MAX:,} bytes")


def _encoded(value: Any) -> bytes:
    try:
        return encode(value)
    except (InvalidValue, LimitExceeded) as error:
        raise Unreadable(str(error)) from None


def _number(value: float) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if value.bit_length() > PICKLE_INTEGER_BITS_MAX:
        raise Unreadable(f"it has a number of more than {PICKLE_INTEGER_BITS_MAX:,} bits")
    return value if abs(value) <= INTEGER_ABS_MAX else {"$int": str(value)}


def _time(value: Any) -> dict[str, Any]:
    if isinstance(value, datetime):
        fold = {"fold": 1} if value.fold else {}
        zone = _zone_name(value.tzinfo) if isinstance(value.tzinfo, timezone) else {}
        return {"$datetime": value.isoformat(), **fold, **zone}
    if isinstance(value, timedelta):
        return {"$timedelta_us": _number(value // _MICROSECOND)}
    if isinstance(value, timezone):
        return {"$timezone_us": _number(value.utcoffset(None) // _MICROSECOND), **_zone_name(value)}
    raise Unreadable(f"it has {getattr(value, 'value', type(value).__name__)} as a value")


def _zone_name(zone: timezone) -> dict[str, str]:
    """A zone is its distance from UTC; some have a name besides."""
    name = zone.tzname(None)
    return {} if name == timezone(zone.utcoffset(None)).tzname(None) else {"zone": name}
