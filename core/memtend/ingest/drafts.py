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
from memtend.migrate.judging import CONTENT, COUNTED, READS, Judged, changed_ms
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
    texts = [(item.text, updated_ms)]
    if item.siblings:
        texts[:0] = [(canonical.encode(one.value, key), one.at_ms) for one in item.siblings]
    drafts: list[Draft] = []
    for text, stated_ms in texts:
        first, at_ms = not drafts, min(stated_ms, now_ms)
        content = content_of(text)
        created_ms = at_ms if item.created_ms is None else min(item.created_ms, at_ms)
        exp_ms = item.expires_at_ms
        if exp_ms is None and policy.ttl_ms is not None:
            exp_ms = at_ms + policy.ttl_ms
        if created_ms < 0 or exp_ms is not None:
            check_times(Put(namespace, key, None, created_ms=created_ms, expires_at_ms=exp_ms))
        lineage[CONTENT] = content_mark(content)
        extra = pack_extra({**item.labels.extra, LINEAGE: lineage})
        data, codec, number = compressed(text, policy.compression, dictionary)
        drafts.append(
            Draft(
                namespace, key, "", data, codec, number, len(text), content, described, extra,
                policy.ttl_ms, RowKind.PLAIN, exp_ms, created_ms,
                judged.seen if first else _NOTHING, judged.shown if first else None, agent, fixed,
            )
        )  # fmt: skip
    return drafts


def counter_labels(item: ImportItem, judged: Judged, run: str) -> Labels:
    """The labels of a counter remember how much of it came from this item."""
    lineage = lineage_for(item, judged, run) | {COUNTED: item.value}
    return item.labels.model_copy(update={"extra": {**item.labels.extra, LINEAGE: lineage}})


def lineage_for(item: ImportItem, judged: Judged, run: str) -> dict[str, Any]:
    if item.copied is not None and item.copied.lineage is not None:
        lineage = dict(item.copied.lineage)  # where it came from first
    else:
        kind, path, own_id, form, version, import_id, digest = item.source
        lineage = {"kind": kind, "path": path, "id": own_id, "format": form, "version": version,
                   "import_id": import_id, "digest": digest, "run": run}  # fmt: skip
        if version is None:
            del lineage["version"]
    if item.access_count or judged.reads:
        lineage[READS] = max(_reads(item), judged.reads)
    return lineage


def reads_of(item: ImportItem, judged: Judged, now_ms: int) -> Read | None:
    """What the source knows of readings of the item, less what came with an earlier import."""
    if item.accessed_ms is None and not item.access_count:
        return None
    at_ms = changed_ms(item, now_ms) if item.accessed_ms is None else item.accessed_ms
    return max(0, _reads(item) - judged.reads), max(0, min(at_ms, now_ms))


def _reads(item: ImportItem) -> int:
    return max(0, min(item.access_count, INTEGER_ABS_MAX))
