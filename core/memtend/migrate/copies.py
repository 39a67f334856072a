"""What a record of another store is to this one. Pure.

It is judged by what it holds, not by where it came from: a record that has the same values is here
already, whoever wrote it, so an export that comes back into its own store changes nothing. One that
came with an earlier export and has not been changed here since is updated; anything else that is
there stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from memtend.codec.envelope import content_mark, content_of
from memtend.migrate.items import CopiedValue, ImportItem
from memtend.migrate.judging import COUNTED, READS, Judged, lineage_of
from memtend.model.plan import Action
from memtend.model.standing import NOTHING, Held, Standing

COPIED: Final = "copied"
"""In the lineage of a record, the mark of the value that the last export brought."""

_HERE: Final = Judged(Action.KEEP, "the same is here already")
_EXPIRED: Final = Judged(Action.SKIP, "it has expired")
_DELETED: Final = Judged(Action.REFUSE, "it was deleted here after it was exported")
_OTHER: Final = Judged(Action.REFUSE, "a record that did not come with an export is there")
_EDITED: Final = Judged(Action.REFUSE, "the record was changed here since it came")
_DAMAGED: Final = Judged(Action.REFUSE, "the record there is damaged")


def judge_copy(
    item: ImportItem, standing: Standing | None, total: int | None, *, now_ms: int
) -> Judged:
    """`total` is what the counter at the item's path has counted."""
    standing = standing or NOTHING
    if standing.damaged:
        return _DAMAGED
    live = [one for one in standing.held if one.live]
    if _is_same(item, live, total):
        return _HERE
    if not values_left(item, now_ms):
        return _EXPIRED
    return _changed(item, standing, live) if live else _new(item, standing)


def _changed(item: ImportItem, standing: Standing, live: list[Held]) -> Judged:
    """Something else is there: what came with an earlier export, or somebody's own."""
    lineages = [(one, lineage_of(one.extra)) for one in live]
    own = [said.get("import_id") == item.source.import_id for _, said in lineages]
    if not (any(own) if item.counter else all(own)):
        return _OTHER
    if item.counter != all(one.counter for one in live) or not _is_as_it_came(item, lineages):
        return _EDITED
    return Judged(
        Action.UPDATE,
        f"the export has changed: {item.source.path}",
        standing.seen,
        standing.shown,
        max(_number(said, COUNTED) for _, said in lineages),
        max(_number(said, READS) for _, said in lineages),
    )


def values_left(item: ImportItem, now_ms: int) -> list[CopiedValue]:
    """Those whose deadline has not passed, oldest first."""
    assert item.copied is not None
    values = (*item.copied.older, item.copied.top)
    return [one for one in values if one.expires_ms is None or now_ms < one.expires_ms]


def _new(item: ImportItem, standing: Standing) -> Judged:
    updated_ms = item.updated_ms or 0
    if standing.ended not in (None, "swept") and updated_ms <= standing.ended_ms:
        return _DELETED
    return Judged(Action.IMPORT, f"exported: {item.source.path}", standing.seen, standing.shown)


def _is_same(item: ImportItem, live: list[Held], total: int | None) -> bool:
    if not live or item.copied is None:
        return False
    if item.counter:
        return all(one.counter for one in live) and total == item.value
    wanted = {content_of(one.text) for one in (item.copied.top, *item.copied.older)}
    return not any(one.counter for one in live) and {one.content for one in live} == wanted


def _is_as_it_came(item: ImportItem, lineages: list[tuple[Held, Mapping[str, Any]]]) -> bool:
    """Parts of a counter are added to, never replaced: what came with the export is still in it."""
    return item.counter or all(
        said.get(COPIED) == content_mark(one.content) for one, said in lineages
    )


def _number(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
