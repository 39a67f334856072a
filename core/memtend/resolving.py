"""Conflicts of an open memory: finding them, showing them, settling them.

Settling is a write like any other, in the context of exactly what was looked at: if another value
arrives meanwhile, nothing is written and `ConditionFailed` is raised. It says so in the audit
trail. Until then nothing is lost, whatever readers are shown.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from memtend.clock import to_datetime
from memtend.codec import canonical
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.drafting import Put
from memtend.errors import (
    ConditionFailed,
    InvalidValue,
    KindMismatch,
    MemtendError,
    NotFound,
    ResolverUnknown,
)
from memtend.limits import CONFLICTS_MAX
from memtend.model.conflict import Competitor, Conflict, ConflictView
from memtend.model.pattern import compile_pattern
from memtend.model.plan import Action, Decision, Plan, Report
from memtend.model.policy import FUNCTION
from memtend.store.conflicted import crowded
from memtend.store.conflicts import Contested, contest, contested_in
from memtend.store.records import to_record, value_of
from memtend.store.seen import Seen, counter_value, newest
from memtend.store.views import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtend.memory import Memory

LWW: Final = "lww"
_KIND_NAMES: Final = {kind: kind.name.lower() for kind in RowKind} | {RowKind.PLAIN: "value"}

_WHOLE: Final = {RowKind.ELEMENT: "set", RowKind.FIELD: "map"}


def conflicts(memory: Memory, pattern: str = "**", limit: int = CONFLICTS_MAX) -> list[Conflict]:
    """Contested keys in namespaces that `pattern` governs and this agent may read, by path."""
    return [_conflict(found) for found in islice(_contested(memory, pattern), limit)]


def crowding(memory: Memory) -> tuple[int, int]:
    """How many keys and fields have several values, and the most that one has."""
    return crowded(memory.store, memory.config, memory._reads)[:2]


def conflict(memory: Memory, namespace: str, key: str, field: str = "") -> ConflictView | None:
    """A conflict in full, or None where there is none."""
    found = _contest(memory, namespace, key, field)
    return _view(memory, found) if found else None


def settle(
    memory: Memory,
    namespace: str,
    key: str,
    value: Any = None,
    *,
    field: str = "",
    take: int | None = None,
    strategy: str | None = None,
    seen: str | None = None,
) -> Any:
    """End a conflict and return the value that stands: the competitor of number `take`, what
    `strategy` (`lww`, `function:NAME`) shows, or else `value`. `lww` keeps the sum of a counter.

    `seen` is that of the view by which it was decided; without it, what is there now is settled.
    """
    _check_strategy(strategy)
    found = _contest(memory, namespace, key, field)
    if found is None:
        path = key + (f"#{field}" if field else "")
        raise NotFound(namespace=namespace, key=f"{path} that is contested")
    if seen is not None and seen != _seen(found):
        facts = {"namespace": namespace, "key": key}
        raise ConditionFailed(**facts, expected=f"what {seen} names", found=_seen(found))
    put = Put(namespace, key, value, field=field)
    keep = take is None and strategy == LWW
    if take is not None:
        put = _taken(found, take, put)
    elif keep and found.own:
        put = _like(newest(found.own), put)
    elif strategy is not None and not keep:
        put = put._replace(value=_by_function(memory, found, strategy))
    return _write(memory, found, put, keep=keep)


def settle_all(
    memory: Memory, pattern: str, strategy: str = LWW, *, apply: bool = False
) -> tuple[Plan, Report]:
    """Settle every conflict under a pattern by one strategy; without `apply`, only plan it."""
    _check_strategy(strategy)
    found = list(islice(_contested(memory, pattern), CONFLICTS_MAX + 1))
    truncated, found = len(found) > CONFLICTS_MAX, found[:CONFLICTS_MAX]
    meta, at = memory.store.meta(), to_datetime(memory.store.clock.now_ms())
    plan = Plan(
        operation="resolve",
        store_id=meta.store_id,
        made_at=at,
        basis=meta.seq,
        total=meta.rows,
        decisions=tuple(_decision(one, strategy) for one in found),
        truncated=truncated,
    )
    written = changed = 0
    refused: list[str] = []
    for one in found if apply else ():
        try:
            name = _seen(one)
            settle(memory, *one[:2], field=one.field, strategy=strategy, seen=name)
            written += 1
        except (ConditionFailed, NotFound):
            changed += 1
        except MemtendError as error:
            refused.append(f"{one.namespace}/{one.key}: {error}")
    report = Report(
        operation="resolve",
        applied=apply,
        planned=len(found),
        written=written,
        changed_since=changed,
        refused=len(refused),
        notes=tuple(refused[:20]),
    )
    return plan, report


def _check_strategy(strategy: str | None) -> None:
    if strategy not in (None, LWW) and not str(strategy).startswith(FUNCTION):
        raise InvalidValue(name="strategy", why=f"{strategy!r} is neither lww nor function:NAME")


def _contested(memory: Memory, pattern: str, *, strays: bool = True) -> Iterator[Contested]:
    governs = compile_pattern(pattern).governs
    for namespace in memory.store.namespaces.load():
        if governs(namespace) and (
            memory.agent is None or memory.config.allows(memory.agent, "read", namespace)
        ):
            yield from contested_in(
                memory.store, memory.config, memory._reads, namespace, strays=strays
            )


def _contest(memory: Memory, namespace: str, key: str, field: str) -> Contested | None:
    memory._allow("read", namespace)
    found = contest(memory.store, memory.config, memory._reads, namespace, key, field)
    if found is None:
        return None
    thaw = memory._reads.thawed
    own, foreign = ([thaw(namespace, key, s) for s in side] for side in (found.own, found.foreign))
    return found._replace(own=own, foreign=foreign)


def _conflict(found: Contested) -> Conflict:
    newest_ms = max(millis(one.body.ts) for one in found.seen)
    return Conflict(
        namespace=found.namespace,
        key=found.key,
        field=found.field,
        siblings=len(found.seen),
        values=len({one.text or one.body.dot for one in found.seen}),
        foreign=len(found.foreign),
        since=to_datetime(found.since_ms),
        newest=to_datetime(newest_ms),
    )


def _view(memory: Memory, found: Contested) -> ConflictView:
    policy = memory.config.policy(found.namespace, found.key)
    shows: dict[str, Any] = {}
    problems: list[str] = []
    own = found.own
    if own and own[0].body.type == RowKind.COUNTER:
        shows["counter"] = counter_value(own)
    elif own:
        shows[LWW] = newest(own).value
        shows["mv"] = [one.value for one in sorted(own, key=lambda one: one.text)]
    if policy.resolver is not None and len(own) > 1:
        try:
            shows[policy.strategy] = _by_function(memory, found, policy.strategy)
        except MemtendError as error:
            problems.append(str(error))
    return ConflictView(
        conflict=_conflict(found),
        strategy=policy.strategy,
        siblings=tuple(_competitor(n, one, found) for n, one in enumerate(_in_order(found), 1)),
        shows=shows,
        problems=tuple(problems),
        seen=_seen(found),
    )


def _in_order(found: Contested) -> list[Seen]:
    return sorted(found.seen, key=lambda one: (one.sibling.order, one.body.dot))


def _competitor(number: int, one: Seen, found: Contested) -> Competitor:
    body = one.body
    return Competitor(
        number=number,
        kind=_KIND_NAMES[RowKind(body.type)],
        value=value_of(one),
        writer=body.writer,
        agent=body.agent,
        replica=body.replica,
        dot=body.dot,
        at=to_datetime(millis(body.ts)),
        expires_at=None if one.exp is None else to_datetime(one.exp),
        foreign=one in found.foreign,
    )


def _seen(found: Contested) -> str:
    text = ";".join(f"{dot.replica}:{dot.n}" for dot in sorted(one.body.dot for one in found.seen))
    return sha256(text.encode()).hexdigest()[:12]


def _taken(found: Contested, number: int, put: Put) -> Put:
    ordered = _in_order(found)
    if not 0 < number <= len(ordered):
        raise InvalidValue(name=found.key, why=f"there are {len(ordered)} values, and no {number}")
    return _like(ordered[number - 1], put)


def _like(one: Seen, put: Put) -> Put:
    """A stored value again, with its labels and its deadline."""
    labels = to_record(put.namespace, put.key, one, 0).labels
    ttl_ms = 0 if one.exp is None else None
    return put._replace(
        value=value_of(one), labels=labels, ttl_ms=ttl_ms, expires_at_ms=one.exp,
        created_ms=one.body.created_ms,
    )  # fmt: skip


def _by_function(memory: Memory, found: Contested, strategy: str) -> Any:
    """What a function shows. Asked twice: one whose answers differ is not pure."""
    name = strategy.removeprefix(FUNCTION)
    where = {"namespace": found.namespace, "key": found.key}
    if name == strategy or not found.own:
        raise ResolverUnknown(**where, name=strategy)
    return canonical.decode(
        memory.resolvers.resolve(name, **where, versions=partial(versions, found.own), twice=True)
    )


def _write(memory: Memory, found: Contested, put: Put, *, keep: bool) -> Any:
    """One event in the place of all that was looked at; of a counter, the sum may go on."""
    namespace, key, field = found[:3]
    dots = frozenset(one.body.dot for one in found.seen)
    foreign = frozenset(one.body.dot for one in found.foreign)
    if found.kind == RowKind.COUNTER:
        total = None if keep else put.value
        if total is not None and (isinstance(total, bool) or not isinstance(total, int)):
            raise KindMismatch(namespace=namespace, key=key, found="counter", wanted="a value")
        if total is not None or found.own:
            memory._settle_counter(namespace, key, total, foreign, dots)
            return memory.get(namespace, key)
    whole = _WHOLE.get(found.kind) if found.kind == RowKind.ELEMENT or not field else None
    if whole is not None and not keep:  # what stands there is taken out or left, never replaced
        raise KindMismatch(namespace=namespace, key=key, found=whole, wanted="a value")
    if keep and not found.own:
        memory._delete(namespace, key, field, foreign, settles=True)
        return None
    expected = dots if found.kind != RowKind.COUNTER else None
    memory._write([put], kind=found.kind, expected=expected, action="resolve", settles=True)
    return put.value


def _decision(found: Contested, strategy: str) -> Decision:
    said = [f"{strategy} decides between {len(found.own)} values"] if len(found.own) > 1 else []
    said += [f"{len(found.foreign)} of another kind go"] if found.foreign else []
    what = ", ".join(said)
    path = found.key + (f"#{found.field}" if found.field else "")
    return Decision(action=Action.UPDATE, namespace=found.namespace, key=path, reason=what)
