"""Where a write meets what is there: what it replaces, what it keeps of it, what it refuses.

The rules of CRDT_SPEC 4.3, one path at a time, within the transaction that holds the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memtend.codec.envelope import LABELS, QUARANTINED_FLAG, Body, type_of
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.errors import ConditionFailed, KindMismatch, RecordDamaged, TooManySiblings
from memtend.limits import SIBLINGS_MAX
from memtend.model.dot import Dot
from memtend.store.change import AGENT, WRITER, Change, Described, Draft, Old
from memtend.store.engine import Row

_PLAIN_LABELS: Described = (
    "note", None, None, (), 0.5, None, None, None, False, None, "unverified",
)  # fmt: skip


Olds = dict[tuple[int, str, str], list[Old]]


def old_rows(answers: list[list[Row]]) -> Olds:
    olds: Olds = {}
    for rows in answers:
        for row in rows:
            old = Old._make(row)
            olds.setdefault((old.ns, old.key, old.field), []).append(old)
    return olds


def place(
    change: Change, draft: Draft, ns: tuple[int, bytes], olds: Olds, taken: bool = False
) -> Dot:
    at = (ns[0], draft.key, draft.field)
    here = olds.pop(at, None) if olds else None
    if draft.expected or (here and draft.expected is not None):
        _compare(change, draft, here or [])
    labels, extra = draft.labels, draft.extra
    created_ms: int | None = None
    if here:
        replaced, kept = _replaced(change, draft, here)
        if kept:
            if taken:  # the statement has dropped what must stay; leaving by an error undoes it
                why = "it has siblings that its namespace does not know of"
                raise RecordDamaged(namespace=draft.namespace, key=draft.key, why=why)
            olds[at] = kept
            change.contested.add(ns[0])
        live = _drop(change, replaced, draft.namespace, taken)
        created_ms = min((body.created_ms for body in live), default=None)
        if labels is None and live:
            before = max(live, key=lambda body: body.ts)
            labels, extra = tuple(before)[LABELS], before.extra
    if draft.labels is None:
        labels = _written_by(draft.writer, labels or _PLAIN_LABELS)
    dot = change.mint()
    base_ms = millis(change.hlc)
    if draft.created_ms is not None:
        created_ms = draft.created_ms
    exp = draft.exp_ms
    if exp is None and draft.ttl_ms is not None:
        exp = base_ms + draft.ttl_ms
    created_ms = base_ms if created_ms is None else created_ms
    change.add(ns, draft, labels, created_ms, exp, extra)  # type: ignore[arg-type]
    return dot


def _replaced(change: Change, draft: Draft, here: list[Old]) -> tuple[list[Old], list[Old]]:
    """What a write replaces, and what stays beside it: what the writer had not seen, and what is of
    another kind (4.5a), except to settle that."""
    live = live_of(change, here)
    foreign = [] if draft.settles else [one for one in live if type_of(one.flags) != draft.type]
    if draft.ctx is None and not foreign:
        return here, []
    if draft.type == RowKind.PLAIN and not draft.fixed and not draft.settles:
        refuse_counter(live, draft.namespace, draft.key)
    replaced = [old for old in here if old not in foreign and seen_by(change, old, draft.ctx)]
    kept = [old for old in here if old not in replaced]
    beside = sum(old in kept for old in live)
    if beside >= SIBLINGS_MAX and draft.type != RowKind.COUNTER:  # each replica may have its part
        facts = {"namespace": draft.namespace, "key": draft.key}
        raise TooManySiblings(**facts, count=beside, limit=SIBLINGS_MAX)
    return replaced, kept


def _drop(change: Change, replaced: list[Old], namespace: str, taken: bool) -> list[Body]:
    """Drop siblings; returns the bodies of those that were visible."""
    shown = []
    for old in replaced:
        body = change.drop(old, namespace, taken=taken)
        if body and not old.flags & QUARANTINED_FLAG and _is_live(change, old):
            shown.append(body)
    return shown


def _written_by(writer: str | None, labels: Described) -> Described:
    if writer is None:
        return labels
    changed = list(labels)
    changed[AGENT] = changed[AGENT] or writer
    changed[WRITER] = writer
    return tuple(changed)


def place_in_turn(
    change: Change,
    drafts: Sequence[Draft],
    ids: Mapping[str, tuple[int, bytes]],
    olds: dict[tuple[int, str, str], list[Old]],
) -> list[Dot]:
    """Where a path occurs again, its next draft meets what the batch has just written there."""
    placed: set[tuple[str, str, str]] = set()
    dots = []
    for draft in drafts:
        ns, path = ids[draft.namespace], draft[:3]
        if path in placed:
            change.write_rows()
            olds |= old_rows([change.tx.fetch("old", (ns[0], draft.key, draft.field))])
        placed.add(path)
        dots.append(place(change, draft, ns, olds))
    return dots


def seen_by(change: Change, old: Old, ctx: Mapping[str, int] | frozenset[Dot] | None) -> bool:
    if ctx is None:
        return True
    body = old.unpacked()
    if isinstance(ctx, frozenset):
        return body is None or body.dot in ctx
    return body is None or body.n <= ctx.get(body.replica, 0)


def _compare(change: Change, draft: Draft, here: list[Old]) -> None:
    # A counter's parts live and end together, so a count is compared with all of them.
    live = here if draft.type == RowKind.COUNTER else live_of(change, here)
    shown = (old.unpacked() for old in live if not old.flags & QUARANTINED_FLAG)
    found = frozenset(body.dot for body in shown if body)
    if found != draft.expected:
        raise ConditionFailed(
            namespace=draft.namespace,
            key=draft.key,
            expected=_say(draft.expected),
            found=_say(found),
        )


def live_of(change: Change, olds: Sequence[Old]) -> list[Old]:
    return [old for old in olds if _is_live(change, old)]


def _is_live(change: Change, old: Old) -> bool:
    return old.exp is None or change.now_ms < old.exp


def is_part(old: Old) -> bool:
    """Whether it is a replica's part of a counter."""
    return type_of(old.flags) == RowKind.COUNTER


def refuse_counter(live: Sequence[Old], namespace: str, key: str) -> None:
    """A counter ends by expiring or by a new epoch; a value on top would end it unseen (4.5).

    Parts of a counter beside a value do not make the key a counter.
    """
    if live and all(map(is_part, live)):
        raise KindMismatch(namespace=namespace, key=key, found="counter", wanted="a value")


def _say(dots: frozenset[Dot] | None) -> str:
    return ", ".join(f"{dot.replica[:8]}:{dot.n}" for dot in sorted(dots or ())) or "nothing"
