"""The names a pickle of this kind needs, and what is made where it calls one of them.

Nothing is looked up, imported or called by a name out of a pickle: a name is compared with this
list and becomes a member of `Known`, and each member is answered by a few lines here. `MemoryItem`
and `MemoryTier` count under any module's name, for every program kept them in its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Final

from memtend.limits import LABEL_CHARS_MAX
from memtend.migrate.pickled_values import Bag, Item, Tier, Writer
from memtend.model.unreadable import Unreadable

_NAME_CHARS_MAX: Final = 128
_FOLD: Final = 0x80


class Known(Enum):
    """The value is the name for people."""

    ITEM = "MemoryItem"
    TIER = "MemoryTier"
    DATETIME = "datetime.datetime"
    TIMEDELTA = "datetime.timedelta"
    TIMEZONE = "datetime.timezone"
    SET = "builtins.set"
    FROZENSET = "builtins.frozenset"
    BYTES = "builtins.bytes"
    OBJECT = "builtins.object"
    GETATTR = "builtins.getattr"
    RECONSTRUCTOR = "copyreg._reconstructor"
    ENCODE = "_codecs.encode"


_BY_NAME: Final = {
    **{known.value: known for known in Known if "." in known.value},
    **{
        known.value.replace("builtins", "__builtin__").replace("copyreg", "copy_reg"): known
        for known in Known
        if "." in known.value
    },
}
"""Protocols 0 to 2 use the names of Python 2."""


def known(module: Any, name: Any) -> Known:
    """Raises `Unreadable` with the name, where it is none of `Known`."""
    if not (isinstance(module, str) and isinstance(name, str)):
        raise Unreadable("it has a name that is no text")
    if name in (Known.ITEM.value, Known.TIER.value):
        return Known(name)
    # Joined only if neither part holds the joint in another place: "a.b" + "c" is not "a" + "b.c".
    found = None if "." in name or "." in module else _BY_NAME.get(f"{module}.{name}")
    if found is None:
        raise Unreadable(f"it names {f'{module}.{name}'[:_NAME_CHARS_MAX]}, which is never read")
    return found


def called(what: Any, arguments: Any, writer: Writer) -> Any:
    """What `what(*arguments)` stands for; raises `Unreadable` unless exactly this form is known."""
    if not isinstance(what, Known) or not isinstance(arguments, tuple):
        raise Unreadable("it calls what is no name")
    make = _MAKERS.get(what)
    try:
        made = make(arguments, writer) if make else None
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"it calls {what.value} with what does not fit: {error}") from None
    if made is None:
        raise Unreadable(f"it calls {what.value} in a way that is not read")
    return made


def _item(arguments: tuple[Any, ...], _writer: Writer) -> Item | None:
    return None if arguments else Item()


def _reconstructor(arguments: tuple[Any, ...], _writer: Writer) -> Item | None:
    return Item() if arguments == (Known.ITEM, Known.OBJECT, None) else None


def _tier(arguments: tuple[Any, ...], _writer: Writer) -> Tier | None:
    return _named_tier(arguments[0]) if len(arguments) == 1 else None


def _attribute(arguments: tuple[Any, ...], _writer: Writer) -> Tier | None:
    """Python 3.11.0 to 3.11.3 wrote a member of an enum so: its name, which is its value in
    capitals. No attribute of anything is ever read."""
    if len(arguments) != 2 or arguments[0] is not Known.TIER:
        return None
    name = arguments[1]
    return _named_tier(name.lower()) if isinstance(name, str) and name.isupper() else None


def _named_tier(name: Any) -> Tier | None:
    fits = type(name) is str and 0 < len(name) <= LABEL_CHARS_MAX
    return Tier(name) if fits else None


def _bag(name: str) -> Callable[[tuple[Any, ...], Writer], Bag | None]:
    def make(arguments: tuple[Any, ...], writer: Writer) -> Bag | None:
        if len(arguments) > 1 or not all(isinstance(one, list | tuple) for one in arguments):
            return None
        bag = Bag(name)
        bag.members = {writer.member(one): None for one in arguments[0]} if arguments else {}
        return bag

    return make


def _bytes(arguments: tuple[Any, ...], _writer: Writer) -> bytes | None:
    return None if arguments else b""


def _encode(arguments: tuple[Any, ...], _writer: Writer) -> bytes | None:
    """How protocols 0 to 2 write bytes."""
    if len(arguments) != 2 or type(arguments[0]) is not str or arguments[1] != "latin1":
        return None
    return arguments[0].encode("latin-1")


def _timedelta(arguments: tuple[Any, ...], _writer: Writer) -> timedelta | None:
    if len(arguments) > 3 or not all(type(one) is int for one in arguments):
        return None
    return timedelta(*arguments)


def _timezone(arguments: tuple[Any, ...], _writer: Writer) -> timezone | None:
    shapes = (timedelta, str)
    if not 1 <= len(arguments) <= 2:
        return None
    return timezone(*arguments) if all(map(isinstance, arguments, shapes)) else None


def _datetime(arguments: tuple[Any, ...], _writer: Writer) -> datetime | None:
    """Ten bytes: year, month (with a mark for the second of two equal times), day … microsecond."""
    state = arguments[0] if arguments else None
    if isinstance(state, str):
        state = state.encode("latin-1")
    zone = arguments[1] if len(arguments) == 2 else None
    if not isinstance(state, bytes) or len(state) != 10 or len(arguments) > 2:
        return None
    if zone is not None and not isinstance(zone, timezone):
        return None
    return datetime(
        year=int.from_bytes(state[:2], "big"),
        month=state[2] & ~_FOLD,
        day=state[3],
        hour=state[4],
        minute=state[5],
        second=state[6],
        microsecond=int.from_bytes(state[7:], "big"),
        tzinfo=zone,
        fold=state[2] // _FOLD,
    )


_MAKERS: Final[dict[Known, Callable[[tuple[Any, ...], Writer], Any]]] = {
    Known.ITEM: _item,
    Known.RECONSTRUCTOR: _reconstructor,
    Known.TIER: _tier,
    Known.GETATTR: _attribute,
    Known.SET: _bag("set"),
    Known.FROZENSET: _bag("frozenset"),
    Known.BYTES: _bytes,
    Known.ENCODE: _encode,
    Known.TIMEDELTA: _timedelta,
    Known.TIMEZONE: _timezone,
    Known.DATETIME: _datetime,
}
