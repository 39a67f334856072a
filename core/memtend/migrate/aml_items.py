"""The items of one AML file, each as the record it becomes.

The value of a record is the item unchanged, so nothing of any schema version can be lost; labels
only repeat what the item says, and that it was archived where its place says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from datetime import tzinfo
from typing import Any, Final

from memtend.limits import PATH_BYTES_MAX, TAGS_MAX
from memtend.migrate.aml_places import Place
from memtend.migrate.items import Found, ImportItem, Lineage, PassedOver, quarantined, sealed
from memtend.migrate.jsontext import Parsed, TooDeep, as_text, refuse_doubled_keys
from memtend.model.quoting import quote_name
from memtend.model.record import Labels, relabelled
from memtend.model.timestamps import Moment, NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.upcast.aml_versions import confidence, counts, item_version
from memtend.upcast.labelling import Counts, is_text, label, tags

ALERTS: Final = "alerts"
_ALERT: Final = "alert"
_ONLY_VERSION: Final = "1.0.0"
_UNKNOWN: Final = Counts()
_SPANS: Final = (
    ("evolution", "created", "lastUsed"),
    ("lifecycle", "created_at", "last_used_at"),
)


class AmlFile:
    """One file, by where it lies (`path`, for lineage) and what it holds (`place`)."""

    def __init__(self, kind: str, path: str, place: Place, zone: tzinfo) -> None:
        self._kind = kind
        self._path = path
        self._place = place
        self._zone = zone
        self._agent = label(place.agent)
        self._tags: tuple[Any, tuple[str, ...]] = (None, place.tags)
        self._last: tuple[Any, Moment] = (None, Moment(0, naive=False))
        self._labels = Labels(kind=place.kind, agent=self._agent, tags=place.tags)

    def read(self, content: Parsed, raw: bytes, newer: Set[str] = frozenset()) -> Iterator[Found]:
        """All of it. Items whose ids are among `newer` are passed over: a newer file has them.

        `raw` are the file's bytes, for the quarantine; `content.value` is emptied on the way.
        """
        value, whole = content.value, b"" if content.plain else raw
        items = _alerts(value) if self._place.kind == _ALERT else value
        listed = self._place.listed or items is not value
        if listed and not isinstance(items, list):
            yield quarantined(self._path, "it is not a list of items", raw)
            return
        texts = content.texts if items is value else None
        del raw, content
        if listed:
            yield from self._listed(items, texts, whole, newer)
        elif self._place.stem in newer:
            yield PassedOver(path=self._path, reason="a newer file has the same name")
        else:
            yield self._read(value, self._place.stem, self._place, whole, b"")

    def _listed(
        self, items: list[Any], texts: list[bytes] | None, whole: bytes, newer: Set[str]
    ) -> Iterator[Found]:
        place, text = self._place, b""
        met: Counter[str] = Counter()
        if not place.listed:
            place = place._replace(namespace=f"{place.namespace}/{ALERTS}")
        for at, item in enumerate(items):
            items[at] = None  # what has been read makes room
            if texts is not None:
                text, texts[at] = texts[at], b""
            if isinstance(item, TooDeep):
                yield quarantined(self._path, f"item {at} is nested too deeply", item.data)
                continue
            item_id = item.get("id") if isinstance(item, dict) else None
            if not isinstance(item_id, str) or not is_text(item_id, PATH_BYTES_MAX):
                why = f"item {at} has no id of 1 to {PATH_BYTES_MAX} characters"
                yield quarantined(self._path, why, as_text(item, whole))
            elif item_id in newer:
                yield PassedOver(path=self._path, reason=f"a newer file has {item_id} as well")
            elif place.listed:
                yield self._read(item, item_id, place, whole, text)
            else:
                # Alerts of one second share an id; the first keeps it.
                met[item_id] += 1
                nth = met[item_id]
                own_id = item_id if nth == 1 else f"{item_id}:{nth}"
                yield self._read(item, own_id, place, whole, text)

    def _read(self, item: Any, item_id: str, place: Place, whole: bytes, text: bytes) -> Found:
        """`whole` is the file: an item with doubled keys is only told in full by its file. `text`
        is the item in canonical form, where that is known."""
        if whole:
            try:
                refuse_doubled_keys(item)
            except Unreadable as error:
                return quarantined(self._path, str(error), whole, item_id)
        try:
            return sealed(self._item(item, item_id, place, text), scope=place.namespace)
        except (Unreadable, NotATime) as error:
            return quarantined(self._path, str(error), as_text(item, whole), item_id)

    def _item(self, item: Any, item_id: str, place: Place, text: bytes) -> ImportItem:
        fields: Mapping[str, Any] = item if isinstance(item, dict) else {}
        version, known = _ONLY_VERSION, _UNKNOWN
        if place.listed:
            version, known = item_version(place.kind, fields), counts(fields)
        created, used, naive = self._times(fields)
        updated: int | None = None
        if (stated := fields.get("timestamp")) is not None:
            updated, assumed = self._moment(stated)
            created.append(updated)
            naive += assumed
        elif created:
            updated = max(created)
        return ImportItem(
            namespace=place.namespace,
            key=quote_name(item_id),
            value=item,
            labels=self._labelled(fields, known),
            source=Lineage(self._kind, self._path, item_id, version, version),
            created_ms=min(created) if created else None,
            updated_ms=updated,
            accessed_ms=max(used) if used else None,
            naive_times=naive,
            without_metrics=place.listed and known.success is None,
            text=text,
        )

    def _moment(self, stated: Any) -> Moment:
        """Many an item says the same time three times."""
        if stated != self._last[0] or type(stated) is not str:
            self._last = stated, parse_moment(stated, self._zone)
        return self._last[1]

    def _times(self, item: Mapping[str, Any]) -> tuple[list[int], list[int], int]:
        """When it was made and last used, and how many times besides its `timestamp` have no zone.

        One that is garbage quarantines the item; absent is absent.
        """
        created: list[int] = []
        used: list[int] = []
        naive = 0
        for name, made, last in _SPANS:
            inner = item.get(name)
            if not isinstance(inner, dict):
                continue
            for name_of_time, into in ((made, created), (last, used)):
                if (stated := inner.get(name_of_time)) is not None:
                    ms, assumed = self._moment(stated)
                    into.append(ms)
                    naive += assumed
        if self._place.kind == "decision" and (stated := item.get("reviewedAt")) is not None:
            naive += self._moment(stated).naive
        return created, used, naive

    def _labelled(self, item: Mapping[str, Any], known: Counts) -> Labels:
        stated, own = item.get("agent"), item.get("tags")
        agent = self._agent if stated == self._place.agent else label(stated) or self._agent
        if own != self._tags[0]:  # most items of a file have the same ones
            kept = tags(own)
            if self._place.tags:
                kept = tuple(dict.fromkeys((*self._place.tags, *kept)))[:TAGS_MAX]
            self._tags = (own, kept)
        return relabelled(
            self._labels,
            agent=agent,
            tags=self._tags[1],
            confidence=confidence(item),
            success_count=known.success,
            failure_count=known.failure,
        )


def _alerts(value: Any) -> Any:
    """The list of alerts, where the file is nothing but that; else the value as it is.

    A file with doubled keys is not: it may be a list that another one hid.
    """
    if type(value) is dict and value.keys() == {ALERTS} and isinstance(value[ALERTS], list):
        return value[ALERTS]
    return list(value) if isinstance(value, list) else value
