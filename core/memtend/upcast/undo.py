"""What a way back would miss: the places where two objects differ, and what stood there.

An undo is plain JSON, a list of `[path, value]` for what to put and `[path]` for what to take away,
where a path is a list of keys. It is exact in types: 1, 1.0 and true differ.
"""

from __future__ import annotations

from typing import Any, Final

from memtend.model.unreadable import Unreadable

Undo = list[list[Any]]
_ABSENT: Final = object()


def difference(made: dict[str, Any], wanted: dict[str, Any]) -> Undo | None:
    """What turns `made` into `wanted`; None where nothing does. `restored` is its inverse.

    Parts that both share are not looked into, others only as far as both are objects.
    """
    found: Undo = []
    _compare(made, wanted, [], found)
    if len(found) > 1:
        found.sort(key=lambda change: change[0])
    return found or None


def _compare(made: dict[str, Any], wanted: dict[str, Any], path: list[str], found: Undo) -> None:
    for name, value in wanted.items():
        other = made.get(name, _ABSENT)
        if other is value:
            continue
        if isinstance(other, str) and isinstance(value, str) and other == value:
            continue
        if isinstance(other, dict) and isinstance(value, dict):
            _compare(other, value, [*path, name], found)
        else:
            found.append([[*path, name], value])
    if made.keys() != wanted.keys():
        found.extend([[*path, name]] for name in made if name not in wanted)


def restored(made: dict[str, Any], undo: Any) -> dict[str, Any]:
    """`made` with the changes made; raises `Unreadable` if they cannot be meant for it."""
    result = dict(made)
    try:
        for path, *put in undo:
            *above, name = map(_name, path)
            into = result
            for step in above:
                into[step] = into = _object(into[step])
            if put:
                (into[name],) = put
            else:
                del into[name]
    except (TypeError, ValueError, LookupError):
        raise Unreadable("the undo does not fit the value") from None
    return result


def _name(stated: Any) -> str:
    if not isinstance(stated, str):
        raise TypeError("fields have text for names")
    return stated


def _object(stated: Any) -> dict[str, Any]:
    if not isinstance(stated, dict):
        raise TypeError("only objects have fields")
    return dict(stated)
