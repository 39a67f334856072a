"""AML 1.1.0: times in one form, and every item with tags; patterns say whether they are active.

Times become `2026-09-05T07:10:59.953000+00:00` with all the digits they had. A time without a zone
stays as it is, like one that is none: what its zone was, the item does not say. The default way
back writes the `…Z` of JavaScript, which is what programs of 1.0.0 wrote, where it has the digits.
"""

from __future__ import annotations

import re
from typing import Any, Final

from memtend.model.timestamps import of_javascript, utc_text
from memtend.upcast.casting import PLAIN, Step, Went

_MILLISECONDS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})000\+00:00", re.ASCII)
_NOT_PLAIN: Final = frozenset(("tags", "active", "version"))
_OF_ITEM: Final = ("timestamp",)
_OF_EVOLUTION: Final = ("created", "lastUsed")


def _up(kind: str, item: dict[str, Any]) -> Went:
    went = _in_utc(item, _OF_ITEM)
    plain = went.plain and item.keys().isdisjoint(_NOT_PLAIN)
    if "tags" not in item:
        item["tags"] = []
    if kind != "pattern":
        return PLAIN if plain else Went(False, went.unread)
    if "active" not in item:
        item["active"] = True
    evolution = item.get("evolution")
    if isinstance(evolution, dict):
        item["evolution"] = evolution = {**evolution}
        of_evolution = _in_utc(evolution, _OF_EVOLUTION)
        if plain and of_evolution.plain:
            return PLAIN
        unread = tuple(f"evolution.{name}" for name in of_evolution.unread)
        return Went(False, went.unread + unread)
    return PLAIN if plain else Went(False, went.unread)


def _in_utc(fields: dict[str, Any], names: tuple[str, ...]) -> Went:
    """Plain if all of them were written as JavaScript does."""
    went = PLAIN
    for name in names:
        stated = fields.get(name)
        if stated is None:
            continue
        text = of_javascript(stated)
        if text is None:
            text = utc_text(stated)
            went = Went(False, went.unread if text else (*went.unread, name))
        fields[name] = text or stated
    return went


def _down(kind: str, item: dict[str, Any]) -> tuple[str, ...]:
    _as_javascript(item, _OF_ITEM)
    if item.get("tags") == []:
        del item["tags"]
    if kind == "pattern":
        if item.get("active") is True:
            del item["active"]
        if isinstance(evolution := item.get("evolution"), dict):
            item["evolution"] = evolution = dict(evolution)
            _as_javascript(evolution, _OF_EVOLUTION)
    return ()


def _as_javascript(fields: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        stated = fields.get(name)
        if isinstance(stated, str) and (found := _MILLISECONDS.fullmatch(stated)):
            fields[name] = f"{found[1]}Z"


STEP: Final = Step("1.1.0", _up, _down, stated=False)
