"""From what a caller hands over to a `Draft`: names checked, value encoded, policy applied.

All of this runs before the write lock is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from memtend.codec import canonical
from memtend.codec.compress import Codec, compress
from memtend.codec.envelope import content_of
from memtend.crdt.rows import RowKind
from memtend.errors import InvalidValue, KindMismatch, LimitExceeded
from memtend.limits import TIME_MS_MAX, TTL_MS_MAX
from memtend.model.dot import Dot
from memtend.model.names import check_name, check_path
from memtend.model.policy import Compression, Policy
from memtend.model.record import Labels
from memtend.store.change import Described, Draft, pack_extra
from memtend.store.config import Config
from memtend.store.views import fixed_kind


class Put(NamedTuple):
    """One write of `Memory.put_many`. `ttl_ms` 0 means permanent, None what the policy says.

    `expires_at_ms` and `created_ms` are for records that come from elsewhere with their own times.
    `ctx` is what the writer had seen, as a vector or dot by dot: what it had not seen stays beside.
    """

    namespace: str
    key: str
    value: Any
    labels: Labels | None = None
    ttl_ms: int | None = None
    created_ms: int | None = None
    expires_at_ms: int | None = None
    ctx: Mapping[str, int] | frozenset[Dot] | None = None
    field: str = ""


_KINDS: Final = {
    RowKind.PLAIN: "a value",
    RowKind.COUNTER: "a counter",
    RowKind.ELEMENT: "an element of a set",
    RowKind.FIELD: "a field of a map",
}


def draft(
    config: Config,
    put: Put,
    agent: str | None,
    *,
    kind: int = 0,
    expected: frozenset[Dot] | None = None,
    settles: bool = False,
) -> Draft:
    """Check and encode one write.

    Raises `InvalidName`, `InvalidValue`, `LimitExceeded`, and `KindMismatch` where the policy lets
    something else be written. `settles`: the write also replaces siblings of other kinds.
    """
    check_path(put.namespace, put.key)
    if put.field:
        check_name(put.field, "field")
    check_times(put)
    if isinstance(put.ctx, Mapping):
        _check_context(put.ctx, put.key)
    namespace, key = put.namespace, put.key
    policy = config.policy(namespace, key)
    fixed = is_fixed(policy, namespace, key, kind)
    labels, extra = describe(put.labels, agent)
    ttl_ms = policy.ttl_ms if put.ttl_ms is None else put.ttl_ms or None
    text = canonical.encode(put.value, key)
    known = config.dictionaries.get(labels[0]) if labels else None
    data, codec, dictionary = compressed(text, policy.compression, known)
    return Draft(
        namespace, key, put.field, data, codec, dictionary, len(text), content_of(text), labels,
        extra, ttl_ms, kind, put.expires_at_ms, put.created_ms, put.ctx, expected, agent,
        fixed, settles,
    )  # fmt: skip


def is_fixed(policy: Policy, namespace: str, key: str, kind: int) -> bool:
    """Whether the policy says what kind the key is; raises `KindMismatch` if it is another one."""
    fixed = fixed_kind(policy)
    if fixed is not None and fixed != kind:
        found, wanted = f"{policy.strategy} by policy", _KINDS[RowKind(kind)]
        raise KindMismatch(namespace=namespace, key=key, found=found, wanted=wanted)
    return fixed is not None


def check_times(put: Put) -> None:
    """Raise `InvalidValue` or `LimitExceeded` unless its times are whole and possible."""
    for what, ms, limit in (
        ("time to live", put.ttl_ms, TTL_MS_MAX),
        ("deadline", put.expires_at_ms, TIME_MS_MAX),
        ("creation time", put.created_ms, TIME_MS_MAX),
    ):
        if ms is None:
            continue
        if not isinstance(ms, int):
            raise InvalidValue(name=put.key, why=f"its {what} is no whole number of milliseconds")
        if not 0 <= ms <= limit:
            if ms < 0:
                raise InvalidValue(name=put.key, why=f"its {what} is negative")
            raise LimitExceeded(what=what, name=put.key, actual=ms, limit=limit)


def _check_context(ctx: Mapping[str, int], key: str) -> None:
    for replica, n in ctx.items():
        if not isinstance(replica, str) or isinstance(n, bool) or not isinstance(n, int):
            raise InvalidValue(name=key, why="its context is no vector of numbers by replica")


def compressed(
    text: bytes, compression: Compression, known: tuple[int, Any] | None
) -> tuple[bytes, int, int | None]:
    """The text as it is stored: compressed when the policy says so and it saves space."""
    if compression.enabled and len(text) >= compression.threshold_bytes:
        number, dictionary = known or (None, None)
        packed = compress(text, compression.level, dictionary)
        if len(packed) < len(text):
            return packed, Codec.ZSTD if number is None else Codec.ZSTD_DICT, number
    return text, Codec.RAW, None


def describe(labels: Labels | None, agent: str | None) -> tuple[Described | None, bytes | None]:
    """The label columns of a row. The writer is who writes, whatever the labels say."""
    if labels is None:
        return None, None
    return (
        labels.kind, labels.agent or agent, labels.session, labels.tags, labels.importance,
        labels.confidence, labels.success_count, labels.failure_count, labels.pinned,
        agent or labels.writer or labels.agent, str(labels.trust),
    ), pack_extra(labels.extra)  # fmt: skip
