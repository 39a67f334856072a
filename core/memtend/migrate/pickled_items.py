"""What a pickled item says, as a record. What is absent or absurd stays unknown.

The value is the item's content. Labels repeat what fits: the tier is the kind, `metadata.agent_id`
the agent. What they cannot hold (the exact time, odd tags, metadata, unknown fields) is kept in
`labels.extra` under `original`, `metadata` and `extra`; what only the archive's index or the table
of associations knows, under `archived` and `associations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from memtend.limits import PATH_BYTES_MAX
from memtend.migrate.items import ImportItem, Lineage, sealed
from memtend.migrate.pickled_values import Bag, Item, Table, Writer
from memtend.model.quoting import quote_name, quote_segment
from memtend.model.record import Labels
from memtend.model.timestamps import Moment, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.labelling import is_text, label, share, tags, whole

KIND: Final = "pickled"
REFUSED: Final = "it is a pickle, which is read only with --allow-pickle-archive"
_FORMAT: Final = "1"
_FIELDS: Final = ("id", "content", "tier", "created_at", "last_accessed", "access_count",
                  "importance", "tags", "metadata")  # fmt: skip


def fields_of(found: Any) -> dict[str, Any]:
    """The fields of what must be a MemoryItem."""
    if not isinstance(found, Item) or found.fields is None:
        raise Unreadable("it holds no MemoryItem")
    fields = found.fields.texts
    if "content" not in fields:
        raise Unreadable("it has no content")
    return fields


def item_id_of(fields: Mapping[str, Any]) -> str:
    item_id = fields.get("id")
    if not is_text(item_id, PATH_BYTES_MAX):
        raise Unreadable(f"it has no id of 1 to {PATH_BYTES_MAX} characters")
    return str(item_id)


def record_of(
    fields: Mapping[str, Any],
    place: str,
    path: str,
    zone: tzinfo,
    writer: Writer,
    *,
    agent: Any,
    metadata: Any,
    more: Mapping[str, Any],
) -> ImportItem:
    """The record of one item of `place` (`archive` or `episodic`), where its id is unique.

    `metadata` is JSON already; `more` is what is known of it elsewhere. Raises `Unreadable` or
    `NotATime`.
    """
    item_id = item_id_of(fields)
    created, accessed = (_moment(fields.get(at), zone) for at in ("created_at", "last_accessed"))
    stated = _listed(fields.get("tags"), writer)
    tier = fields.get("tier")
    original = {
        "tier": str(tier) if isinstance(tier, str) else writer.json(tier),
        "created_at": _stated(fields.get("created_at"), writer),
    }
    if agent is not None and label(agent) is None:
        original["agent_id"] = writer.json(agent)
    agent = label(agent)
    if share(fields.get("importance")) is None:
        original["importance"] = writer.json(fields.get("importance"))
    if whole(fields.get("access_count")) is None:
        original["access_count"] = writer.json(fields.get("access_count"))
    fitting = tuple(sorted(tags(stated)))
    if stated is None or len(fitting) != len(stated):
        original["tags"] = writer.json(fields.get("tags"))
    unknown = {name: writer.json(fields[name]) for name in fields if name not in _FIELDS}
    kept = {"original": original, "metadata": metadata, "extra": unknown, **more}
    importance = share(fields.get("importance"))
    record = ImportItem(
        namespace=f"agent/{quote_segment(agent)}/{place}" if agent else place,
        key=quote_name(item_id),
        value=writer.json(fields["content"]),
        labels=Labels(
            kind=label(str(tier)) or "note" if isinstance(tier, str) else "note",
            agent=agent,
            tags=fitting,
            **({} if importance is None else {"importance": importance}),
            extra={name: value for name, value in kept.items() if value not in (None, {})},
        ),
        created_ms=created.ms if created else None,
        updated_ms=created.ms if created else None,
        accessed_ms=accessed.ms if accessed else None,
        access_count=whole(fields.get("access_count")) or 0,
        naive_times=sum(moment.naive for moment in (created, accessed) if moment),
        source=Lineage(kind=KIND, path=path, id=item_id, format=_FORMAT, version=None),
    )
    return sealed(record, scope=place)


def _stated(at: Any, writer: Writer) -> Any:
    """A time as it was written, to the microsecond."""
    return at.isoformat() if isinstance(at, datetime) else writer.json(at)


def _moment(at: Any, zone: tzinfo) -> Moment | None:
    if at is None:
        return None
    return parse_moment(at.isoformat() if isinstance(at, datetime) else at, zone)


def _listed(stated: Any, writer: Writer) -> list[Any] | None:
    """Tags as a list, if they are something of the kind."""
    if stated is None:
        return []
    written = writer.json(stated)
    if isinstance(stated, Bag):
        return list(written[f"${stated.name}"])
    return None if isinstance(stated, Table) or not isinstance(written, list) else written
