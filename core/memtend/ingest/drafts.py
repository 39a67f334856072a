"""From an item to what is written: its values made ready, and labels that say where it is from.

The value's canonical text is there already, so nothing is encoded twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from memtend.codec import canonical
from memtend.codec.envelope import content_mark, content_of
from memtend.crdt.rows import RowKind
from memtend.drafting import Put, check_times, compressed, describe, is_fixed
from memtend.limits import INTEGER_ABS_MAX
from memtend.migrate.items import LINEAGE, ImportItem
from memtend.migrate.judging import CONTENT, COUNTED, READS, Judged, changed_ms, deadline_ms
from memtend.model.record import Labels
from memtend.store.drafts import Draft, pack_extra

if TYPE_CHECKING:
    from memtend.store.access import Read
    from memtend.store.config import Config

_NOTHING: Final[frozenset[Any]] = frozenset()


def drafts_of(
    config: Config, item: ImportItem, judged: Judged, *, run: str, agent: str | None, now_ms: int
) -> list[Draft]:
    """The older values first, the current one last: what readers are shown is the newest.

    The first takes the place of exactly what was looked at, and nothing else may be there; the
    others stay beside it. Raises what `drafting.draft` does.
    """
    namespace, key, updated_ms = item.namespace, item.key, changed_ms(item, now_ms)
    policy = config.policy(namespace, key)
    fixed = is_fixed(policy, namespace, key, RowKind.PLAIN)
    described, _ = describe(item.labels, agent)
    dictionary = config.dictionaries.get(item.labels.kind)
    lineage = lineage_for(item, judged, run)
    texts = [(canonical.encode(older.value, key), older.at_ms) for older in item.siblings]
    drafts: list[Draft] = []
    for text, stated_ms in [*texts, (item.text, updated_ms)]:
        first, at_ms = not drafts, min(stated_ms, now_ms)
        content = content_of(text)
        created_ms = at_ms if item.created_ms is None else min(item.created_ms, at_ms)
        exp_ms = deadline_ms(item._replace(updated_ms=at_ms), policy.ttl_ms, now_ms)
        data, codec, number = compressed(text, policy.compression, dictionary)
        drafts.append(
            Draft(
                namespace, key, "", data, codec, number, len(text), content, described,
                pack_extra(_extra(item, lineage | {CONTENT: content_mark(content)})),
                policy.ttl_ms, RowKind.PLAIN, exp_ms, created_ms,
                judged.seen if first else _NOTHING, judged.shown if first else None, agent, fixed,
            )
        )  # fmt: skip
        check_times(Put(namespace, key, None, created_ms=created_ms, expires_at_ms=exp_ms))
    return drafts


def counter_labels(item: ImportItem, judged: Judged, run: str) -> Labels:
    """The labels of a counter remember how much of it came from this item."""
    lineage = lineage_for(item, judged, run) | {COUNTED: item.value}
    return item.labels.model_copy(update={"extra": _extra(item, lineage)})


def lineage_for(item: ImportItem, judged: Judged, run: str) -> dict[str, Any]:
    lineage = item.source._asdict() | {"run": run}
    if item.source.version is None:
        del lineage["version"]
    if item.copied is not None and item.copied.lineage is not None:
        lineage = dict(item.copied.lineage)  # where it came from first
    if reads := max(_reads(item), judged.reads):
        lineage[READS] = reads
    return lineage


def _extra(item: ImportItem, lineage: dict[str, Any]) -> dict[str, Any]:
    return {**item.labels.extra, LINEAGE: lineage}


def reads_of(item: ImportItem, judged: Judged, now_ms: int) -> Read | None:
    """What the source knows of readings of the item, less what came with an earlier import."""
    if item.accessed_ms is None and not item.access_count:
        return None
    at_ms = changed_ms(item, now_ms) if item.accessed_ms is None else item.accessed_ms
    return max(0, _reads(item) - judged.reads), max(0, min(at_ms, now_ms))


def _reads(item: ImportItem) -> int:
    return max(0, min(item.access_count, INTEGER_ABS_MAX))
