"""A look at trials: their accesses from the sample, by the keys that each takes and the others.

Needs no package of learning, so that every sweep can do it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from math import isnan
from operator import attrgetter
from typing import TYPE_CHECKING

from memtend.learn.tuning.rules import rule_of
from memtend.learn.tuning.watching import Access, Seen, arm, by_arm, judge, watch
from memtend.model.trial import TrialLook, TrialState
from memtend.serving.tuning_trials import holds, longest_ms, terms_of
from memtend.store.accessed import accesses_of
from memtend.store.sampled import MISS, WRITE

if TYPE_CHECKING:
    from memtend.model.policyfile import PolicyFile
    from memtend.model.trial import TtlTrial
    from memtend.store.store import Store
    from memtend.store.trials import Trial

Log = Mapping[str, Sequence[Access]]
"""Accesses by namespace; of one, by key and time."""


def read(store: Store, since_ms: int) -> Log:
    """The sample since a time, read once for all trials. A record that was gone when its access was
    written down is as large as it was at another time."""
    found = accesses_of(store, since_ms)
    sizes = {d: size for d, size in zip(found.digest, found.size, strict=True) if not isnan(size)}
    log: dict[str, list[Access]] = defaultdict(list)
    columns = zip(found.digest, found.ns, found.at_ms, found.what, found.size, strict=True)
    for digest, ns, at_ms, what, size in columns:
        known = sizes.get(digest, 0.0) if isnan(size) else size
        log[found.names[ns]].append(Access(digest, at_ms, int(known), what == MISS, what == WRITE))
    for own in log.values():
        own.sort(key=attrgetter("digest", "at_ms"))
    return log


def look(log: Log, file: PolicyFile, trial: Trial, now_ms: int) -> Seen | None:
    """None where the rule says something else by now."""
    if not holds(trial, file):
        return None
    terms = terms_of(trial, now_ms)
    governed = (own for path, own in log.items() if _governs(file, trial.namespace, path))
    found = list(chain.from_iterable(governed))
    if trial.state == TrialState.PROMOTED:
        return watch(arm(found, terms, terms.ttl_ms, now_ms), terms)
    rule = rule_of(file, trial.namespace)
    assert rule is not None
    assert rule.canary is not None
    taken = {digest: rule.canary.takes(digest) for digest in {one.digest for one in found}}
    tried, rest = by_arm(found, taken)
    return judge(
        arm(tried, terms, terms.ttl_ms, now_ms), arm(rest, terms, terms.old_ms, now_ms), terms,
        now_ms, longest_ms(trial),
    )  # fmt: skip


def looked(trial: TtlTrial, seen: Seen | None) -> TrialLook:
    if seen is None:
        return TrialLook(trial=trial, verdict="replaced", why=trial.outcome)
    return TrialLook(
        trial=trial, verdict=seen.verdict.value, why=seen.why, reads=seen.reads,
        reads_rest=seen.reads_rest, regret=seen.regret.value, regret_low=seen.regret.low,
        regret_high=seen.regret.high, regret_rest=seen.regret_rest.value, cost=seen.cost.value,
        cost_low=seen.cost.low, cost_high=seen.cost.high,
    )  # fmt: skip


def _governs(file: PolicyFile, pattern: str, path: str) -> bool:
    """Whether this rule holds for every key of the namespace."""
    candidates = file.policies.for_namespace(path).candidates
    return len(candidates) == 1 and candidates[0][0].text == pattern
