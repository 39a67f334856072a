"""What an item of a source is to the store: new, known, changed, not ours to touch. Pure.

    judged = judge(item, standing, ttl_ms=None, now_ms=now_ms)
    judged.action                        # import, update, keep, refuse or skip, with the reason

An item is known by `import_id` and its content by `digest`, both in the record's labels, and the
record by the mark of the value that was imported. So importing twice changes nothing, and a record
that somebody else wrote, or changed since, is never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from memtend.codec.envelope import content_mark
from memtend.migrate.items import LINEAGE, ImportItem
from memtend.model.dot import Dot
from memtend.model.migrated import origin
from memtend.model.plan import Action
from memtend.model.standing import NOTHING, Held, Standing

CONTENT: Final = "content"
"""Where the lineage of a record keeps the mark of the value that was imported."""
COUNTED: Final = "counted"
READS: Final = "reads"
_NONE: Final[frozenset[Dot]] = frozenset()


class Judged(NamedTuple):
    """`seen` are the siblings that were looked at, `shown` those that a reader sees.

    `counted` and `reads` are what the store has already counted of this item. `erased` says that it
    must not come back and must not be named.
    """

    action: Action
    reason: str
    seen: frozenset[Dot] = _NONE
    shown: frozenset[Dot] = _NONE
    counted: int = 0
    reads: int = 0
    erased: bool = False

    @property
    def writes(self) -> bool:
        return self.action in (Action.IMPORT, Action.UPDATE)


ERASED: Final = Judged(Action.REFUSE, "it was erased here and is no younger than that", erased=True)
_EXPIRED: Final = Judged(Action.SKIP, "it has expired by its own deadline or by the policy")
_SWEPT: Final = Judged(Action.KEEP, "it came before, and has expired here since")
_DELETED: Final = Judged(Action.REFUSE, "it was deleted here, and the source has not changed since")
_FOREIGN: Final = Judged(Action.REFUSE, "a record that did not come from this item is there")
_BESIDE: Final = Judged(Action.REFUSE, "the source has changed, but so has what stands beside it")
_EDITED: Final = Judged(Action.REFUSE, "the source has changed, but the record was changed here")
_RECAST: Final = Judged(
    Action.REFUSE, "it came before as another kind: the policy has since changed what is a counter"
)
_DAMAGED: Final = Judged(Action.REFUSE, "the record there is damaged")
_KNOWN: Final = Judged(Action.KEEP, "imported before, and unchanged")


def judge(
    item: ImportItem, standing: Standing | None, *, ttl_ms: int | None, now_ms: int
) -> Judged:
    """`ttl_ms` is what the policy of the item's path says."""
    if standing is None:
        standing = NOTHING
    if standing.damaged:
        return _DAMAGED
    found = _known(item, standing) if standing.held else None
    if found is not None and not found.writes:
        return found
    deadline = deadline_ms(item, ttl_ms, now_ms)
    if deadline is not None and deadline <= now_ms:
        return _EXPIRED
    return found or _new(item, standing, now_ms)


def _new(item: ImportItem, standing: Standing, now_ms: int) -> Judged:
    """Nothing is there. A deletion here stands until the source says something newer; a time in the
    future says nothing."""
    if standing.ended == "swept" and item.updated_ms is None:
        return _SWEPT
    source = item.source
    if standing.ended is not None and standing.ended != "swept":
        if item.updated_ms is None or not standing.ended_ms < item.updated_ms <= now_ms:
            return _DELETED
        why = f"deleted here, and written in the source after that: {source.path}"
        return Judged(Action.IMPORT, why)
    return _import(source.kind, source.format, source.path)


@lru_cache(maxsize=64)
def _import(kind: str, form: str, path: str) -> Judged:
    """The same for most items of a file."""
    return Judged(Action.IMPORT, f"{kind} {form}, {path}")


def _known(item: ImportItem, standing: Standing) -> Judged:
    source = item.source
    lineages = [(one, lineage_of(one.extra)) for one in standing.held]
    own = [(one, said) for one, said in lineages if said.get("import_id") == source.import_id]
    if not own:
        return _FOREIGN
    if any(said.get("digest") == source.digest for _, said in own):
        return _KNOWN
    against = _against(item, own, standing)
    if against is not None:
        return against
    # A counter that has expired begins anew: what it had counted is no longer in it.
    counted = [_number(said, COUNTED) for _, said in own] if item.counter else []
    return Judged(
        Action.UPDATE,
        f"the source has changed: {source.path}",
        standing.seen,
        standing.shown,
        max(counted, default=0) if any(one.live for one in standing.held) else 0,
        max(_number(said, READS) for _, said in own),
    )


def _against(
    item: ImportItem, own: list[tuple[Held, Mapping[str, Any]]], standing: Standing
) -> Judged | None:
    """Why a record that came from the item is not updated. Who counts too is in nobody's way."""
    if any(one.counter != item.counter for one, _ in own):
        return _RECAST
    if item.counter:
        return None if all(one.counter for one in standing.held) else _FOREIGN
    if len(own) < len(standing.held):
        return _BESIDE
    return None if all(_unedited(one, said) for one, said in own) else _EDITED


def deadline_ms(item: ImportItem, ttl_ms: int | None, now_ms: int) -> int | None:
    """When the record expires: when the source says, else by the policy since its last change.

    A time after `now_ms` counts as `now_ms`: the old machine's clock must not outlive ours.
    """
    if item.expires_at_ms is not None:
        return item.expires_at_ms
    return None if ttl_ms is None else changed_ms(item, now_ms) + ttl_ms


def changed_ms(item: ImportItem, now_ms: int) -> int:
    return now_ms if item.updated_ms is None else min(item.updated_ms, now_ms)


def first_known_ms(item: ImportItem) -> int | None:
    """The earliest time that the source knows of an item, or None where it knows none."""
    times = [item.created_ms, item.updated_ms, *(at_ms for _, at_ms in item.siblings)]
    return min((at_ms for at_ms in times if at_ms is not None), default=None)


def lineage_of(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the labels of a stored record say about where it came from; empty for somebody's own."""
    said = extra.get(LINEAGE)
    return said if isinstance(said, dict) else {}


def _unedited(one: Held, said: Mapping[str, Any]) -> bool:
    """Whether the value is what the import wrote, or what a migration made of it."""
    content = origin(one.extra, one.content)
    return isinstance(content, int) and said.get(CONTENT) == content_mark(content)


def _number(said: Mapping[str, Any], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
