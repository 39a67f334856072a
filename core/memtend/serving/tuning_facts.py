"""From the sample of accesses and the rules in force to what a plan of times to live goes by.

The rule that governs a namespace makes its class, so that what is learned can be written as a rule
again. Where nobody has said anything, each namespace is a class of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memtend.learn.tuning.facts import ClassFacts, Learned, Proposal
from memtend.learn.tuning.rules import has_room, with_rule
from memtend.model.policy import Policy
from memtend.model.trial import TrialState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from memtend.learn.ttl.fitted import ClassTtl, FittedTtl
    from memtend.memory import Memory
    from memtend.model.learnpolicy import LearnPolicy
    from memtend.model.policyfile import PolicyFile
    from memtend.store.accessed import Accesses

BY_RULE, BY_NAMESPACE = "rule", "namespace"
HELD_OUT: Final = 0.25
"""The last part of the log, on which what was learned from the rest is judged."""


@dataclass
class Group:
    """A class while it is gathered: its rule, and its namespaces by their codes in the log."""

    pattern: str
    policy: Policy
    stated: bool
    by_key: bool
    namespaces: dict[str, int] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """What was learned: the classes, the log as a whole, and the fit, for pictures of it."""

    classes: tuple[ClassFacts, ...]
    learned: Learned | None
    fitted: FittedTtl | None


def gather(memory: Memory, by: str = BY_RULE) -> Gathered:
    """Everything that is known; nothing is changed. The packages of learning must be installed."""
    from memtend.store import trials  # noqa: PLC0415
    from memtend.store.accessed import accesses_of  # noqa: PLC0415

    memory.flush()
    store = memory.store
    found = accesses_of(store)
    under_way = {
        one.namespace: one.id
        for one in trials.running(store)
        if one.state == TrialState.CANARY
    }  # fmt: skip
    groups = _groups(memory, found.names, by)
    if not len(found):
        classes = tuple(_class(one, under_way, 0, 0, "") for one in groups.values())
        return Gathered(classes, None, None)
    return _Fit(memory.config.file.learn, groups, found).gathered(under_way)


def _groups(memory: Memory, names: dict[int, str], by: str) -> dict[str, Group]:
    """Of the namespaces of the store; by pattern."""
    config = memory.config
    codes = {path: number for number, path in names.items()}
    written = {rule.pattern for rule in config.file.policies.rules}
    written |= {rule.pattern for rule in config.file.policies.defaults}
    groups: dict[str, Group] = {}
    for path in sorted(codes):
        policies = config.policies_in(path)
        rule, stated = policies[0], policies[0].pattern in written
        by_key = len(policies) > 1
        own = by_key or not stated or by == BY_NAMESPACE
        pattern = path if own else rule.pattern
        group = groups.setdefault(pattern, Group(pattern, rule, stated, by_key))
        group.namespaces[path] = codes[path]
    for one in groups.values():
        if one.pattern != one.policy.pattern:
            one.strangers = _strangers(config.file, one, codes)
    return groups


def _strangers(file: PolicyFile, one: Group, paths: Iterable[str]) -> tuple[str, ...]:
    """Other namespaces where a rule of its own would hold as well: some below, whatever rule they
    have now, and those above, where it would govern keys that begin as it does."""
    near = [
        path for path in sorted(paths)
        if path.startswith(f"{one.pattern}/") or one.pattern.startswith(f"{path}/")
    ]  # fmt: skip
    if not near or not has_room(file, one.pattern):
        return ()
    after = with_rule(file, one.pattern, Policy(pattern=one.pattern)).policies
    return tuple(
        path for path in near
        if any(pattern.text == one.pattern for pattern, _ in after.for_namespace(path).candidates)
    )  # fmt: skip


def _class(
    one: Group, trials: dict[str, str], accesses: int, reused: int, found: Proposal | str
) -> ClassFacts:
    """`found` is what another time to live would do, or what speaks against any."""
    return ClassFacts(
        one.pattern, one.policy, tuple(one.namespaces), accesses, reused, one.strangers, one.by_key,
        one.stated, trials.get(one.pattern, ""), found if isinstance(found, str) else "",
        None if isinstance(found, str) else found,
    )  # fmt: skip


class _Fit:
    """The log as arrays, cut into classes, and what is learned of each."""

    def __init__(self, policy: LearnPolicy, groups: dict[str, Group], found: Accesses) -> None:
        import numpy as np  # noqa: PLC0415

        from memtend.learn.ttl.accesses import Accesses as Log  # noqa: PLC0415
        from memtend.store.sampled import WRITE  # noqa: PLC0415

        self._policy, self._groups, self._found = policy, groups, found
        self._names = sorted(groups)
        class_of = {
            code: number
            for number, name in enumerate(self._names)
            for code in groups[name].namespaces.values()
        }
        order = np.argsort(np.asarray(found.at_ms), kind="stable")
        ns = np.asarray(found.ns)[order]
        classes = np.array([class_of[code] for code in ns.tolist()])
        paths = sorted(set(found.names))
        dense = {code: number for number, code in enumerate(paths)}
        self._log = Log.of(
            np.asarray(found.at_ms)[order] / 1_000,
            np.asarray(found.digest)[order],
            np.array([dense[code] for code in ns.tolist()]),
            np.asarray(found.size)[order],
            tuple(found.names[code] for code in paths),
            classes=classes,
            class_names=self._names,
            end=found.until_ms / 1_000,
            rate=found.rate,
        )
        self._wrote = np.asarray(found.what)[order] == WRITE
        self._break_even_s = self._break_even()
        mean = float(self._log.size.mean())
        self._byte_s_a_miss = mean * self._break_even_s
        self._since = float(np.quantile(self._log.t, 1 - HELD_OUT))

    def gathered(self, trials: dict[str, str]) -> Gathered:
        import numpy as np  # noqa: PLC0415

        counts = np.bincount(self._log.cls, minlength=len(self._names))
        again = self._log.cls[self._log.t + self._log.next_gap <= self._log.end]
        reused = np.bincount(again, minlength=len(self._names))
        enough = counts >= self._policy.ttl.accesses_min
        # Of a handful of accesses there is nothing to learn.
        fitted = self._fitted() if enough.any() else None
        rows = {} if fitted is None else {row.name: row for row in fitted.table()}
        classes = []
        for number, name in enumerate(self._names):
            group = self._groups[name]
            found: Proposal | str = ""
            if enough[number] and not group.by_key:
                found = self._proposal(group, self._log.cls == number, rows[name])
            classes.append(_class(group, trials, int(counts[number]), int(reused[number]), found))
        learned = Learned(
            len(self._log), self._found.since_ms, self._found.until_ms, self._found.rate,
            round(self._break_even_s * 1_000), self._byte_s_a_miss * 1_000,
        )  # fmt: skip
        return Gathered(tuple(classes), learned, fitted)

    def _break_even(self) -> float:
        """What the policy says; else the median time between two accesses of an entry."""
        import numpy as np  # noqa: PLC0415

        if self._policy.ttl.break_even_ms is not None:
            return self._policy.ttl.break_even_ms / 1_000
        gaps = self._log.next_gap
        known = gaps[np.isfinite(gaps) & (gaps > 0)]
        return float(np.median(known)) if len(known) else 3_600.0

    def _fitted(self) -> FittedTtl:
        from memtend.learn.ttl.fitting import fit_ttl  # noqa: PLC0415

        return fit_ttl(
            self._log,
            break_even_s=self._break_even_s,
            seed=self._policy.seed,
            incumbent_s={name: _seconds(self._groups[name].policy) for name in self._names},
            floor_s=self._policy.ttl.floor_ms / 1_000,
            ceiling_s=self._ceiling_s(),
        )

    def _ceiling_s(self) -> float:
        ceiling_ms = self._policy.ttl.ceiling_ms
        return math.inf if ceiling_ms is None else ceiling_ms / 1_000

    def _proposal(self, group: Group, own: NDArray[np.bool_], row: ClassTtl) -> Proposal | str:
        from memtend.learn.tuning.estimating import ClassLog  # noqa: PLC0415
        from memtend.learn.tuning.proposing import Terms, propose  # noqa: PLC0415

        if group.policy.refresh_on_read and not row.adopted:
            return f"the log does not bear out another time: {row.evidence}"
        log = ClassLog.of(
            self._log.t[own], self._log.key[own], self._wrote[own], self._log.size[own],
            self._log.end,
        )  # fmt: skip
        tuning = self._policy.ttl
        terms = Terms(
            tuning.floor_ms / 1_000, self._ceiling_s(), tuning.regret_max, self._since,
            self._byte_s_a_miss, self._log.rate,
        )  # fmt: skip
        return propose(log, group.policy, terms, row.ttl_s)


def _seconds(policy: Policy) -> float:
    return math.inf if policy.ttl_ms is None else policy.ttl_ms / 1_000
