"""From a record of another store to what is written: each of its values with its own labels, times
and deadline, and the lineage that it had there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from memtend.codec.envelope import content_mark, content_of
from memtend.drafting import Put, check_times, compressed, describe, is_fixed
from memtend.ingest.drafts import lineage_for
from memtend.migrate.copies import COPIED, values_left
from memtend.migrate.items import LINEAGE
from memtend.store.drafts import Draft, pack_extra

if TYPE_CHECKING:
    from memtend.migrate.items import ImportItem
    from memtend.migrate.judging import Judged
    from memtend.store.config import Config

_NOTHING: Final[frozenset[Any]] = frozenset()


def copied_drafts(
    config: Config, item: ImportItem, judged: Judged, *, run: str, agent: str | None, now_ms: int
) -> list[Draft]:
    """The older values first; the first takes the place of exactly what was looked at."""
    copied = item.copied
    assert copied is not None
    namespace, key = item.namespace, item.key
    policy = config.policy(namespace, key)
    fixed = is_fixed(policy, namespace, key, copied.type)
    lineage = lineage_for(item, judged, run)
    drafts: list[Draft] = []
    for one in values_left(item, now_ms):
        first = not drafts
        described, _ = describe(one.labels, agent)
        dictionary = config.dictionaries.get(one.labels.kind)
        data, codec, number = compressed(one.text, policy.compression, dictionary)
        content = content_of(one.text)
        created_ms = now_ms if one.created_ms is None else min(one.created_ms, now_ms)
        ttl_ms = None if one.expires_ms is None else one.ttl_ms
        extra = one.labels.extra | {LINEAGE: lineage | {COPIED: content_mark(content)}}
        drafts.append(
            Draft(
                namespace, key, copied.field, data, codec, number, len(one.text), content,
                described, pack_extra(extra), ttl_ms, copied.type, one.expires_ms, created_ms,
                judged.seen if first else _NOTHING, judged.shown if first else None, agent, fixed,
            )
        )  # fmt: skip
        place = Put(namespace, key, None, created_ms=created_ms, expires_at_ms=one.expires_ms)
        check_times(place)
    return drafts
