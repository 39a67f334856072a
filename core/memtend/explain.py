"""Explain a key: the rule that governs it, where its TTL comes from, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.codec.envelope import QUARANTINED_FLAG
from memtend.crdt.hlc import millis
from memtend.durations import show_ttl
from memtend.model.explanation import Ending, Explanation, PrunedBy, Rule
from memtend.store import ghosts
from memtend.store.change import Old

if TYPE_CHECKING:
    from memtend.codec.envelope import Body
    from memtend.memory import Memory
    from memtend.model.policy import Policy
    from memtend.model.policyset import PolicySet


def explain(memory: Memory, namespace: str, key: str) -> Explanation:
    store, config = memory.store, memory.config
    if memory.agent is not None:
        config.allow(memory.agent, "read", namespace)
    policy = config.policy(namespace, key)
    ns = store.namespaces.find(namespace)
    olds = [Old._make(row) for row in store.engine.read("old", (ns[0], key, ""))] if ns else []
    log = store.engine.read("log_of", (ns[0], key)) if ns else []
    newest = max(olds, key=lambda old: old.seq, default=None)
    body = newest.unpacked() if newest else None
    return Explanation(
        namespace=namespace,
        key=key,
        state=_state(olds, bool(log), store.clock.now_ms()),
        policy=policy,
        rules=tuple(
            Rule(pattern=pattern, why=why)
            for pattern, why in config.file.policies.explain(namespace, key)
        ),
        ttl_from=_ttl_from(body, policy.ttl_ms, _named(policy, config.file.policies)),
        siblings=len(olds),
        updated_at=to_datetime(millis(body.ts)) if body else None,
        expires_at=to_datetime(newest.exp) if newest and newest.exp is not None else None,
        writer=body.writer if body else None,
        endings=tuple(
            Ending(at=to_datetime(at_ms), why=why, replica=store.replicas.id(r))
            for r, _, _, at_ms, why in log
        ),
        pruned=None if olds else _pruned(memory, namespace, key),
    )


def _pruned(memory: Memory, namespace: str, key: str) -> PrunedBy | None:
    ghost = ghosts.at(memory.store, namespace, [key]).get(key)
    if ghost is None:
        return None
    return PrunedBy(
        rule=ghost.rule, plan=ghost.plan, at=to_datetime(ghost.at_ms), reads=ghost.reads
    )


def _state(olds: list[Old], ended: bool, now_ms: int) -> str:
    live = [old for old in olds if old.exp is None or now_ms < old.exp]
    if any(not old.flags & QUARANTINED_FLAG for old in live):
        return "live"
    if live:
        return "quarantined"
    if olds:
        return "expired"
    return "gone" if ended else "unknown"


def _named(policy: Policy, policies: PolicySet) -> str:
    """Which rule it is: one of the policy file, or one that stands behind it; whether it is tried
    on this key what the others do not live by."""
    pattern = policy.pattern
    if policies.is_default(pattern):
        return f"layout {pattern!r}"
    tried = policy.canary is not None and policy.canary.ttl_ms == policy.ttl_ms
    return f"{'canary of ' if tried else ''}policy {pattern!r}"


def _ttl_from(body: Body | None, policy_ttl_ms: int | None, rule: str) -> str:
    said = show_ttl(policy_ttl_ms)
    if body is None or body.ttl_ms == policy_ttl_ms:
        return f"{rule}: {said}"
    own = show_ttl(body.ttl_ms)
    return f"the write itself: {own} (now {rule}: {said})"
