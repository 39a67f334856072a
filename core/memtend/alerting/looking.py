"""A look at a store: figures and the report of health in, what is wrong out. Pure.

Figures and reports come from other operations, which this one does not know; it takes whatever has
their shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from memtend.alerting.finding import HEALTH, Finding, Look
from memtend.alerting.rules import RULES, Rule, judge
from memtend.model.alert import STORE_SCOPE, AlertLevel
from memtend.model.alertpolicy import AlertPolicy

Subject = tuple[str, str]
_UNREAD = "figures.unread"
_OWN = "alerts"
"""The check of health that counts alerts: one about it would never end."""
_SAMPLED = frozenset({f"{HEALTH}integrity", f"{HEALTH}dictionaries"})
"""Checks that look at a part, each time another: what one has not seen may still be there."""
_BACKUP = "backup"
"""The check that is made where the backups were looked at."""


class FigureLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def value(self) -> float: ...


class CheckLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def fact(self) -> str: ...
    @property
    def hint(self) -> str: ...


def look(
    figures: Sequence[FigureLike],
    checks: Sequence[CheckLike] | None,
    policy: AlertPolicy,
    held: Mapping[Subject, AlertLevel],
    unread: str = "",
) -> Look:
    """`held` are the levels that stand; `unread` says why there are no figures. Figures are looked
    at as a whole: an agent that has none any more has no memory any more."""
    findings = [found for rule in RULES for found in _over(rule, figures, policy, held)]
    observed = frozenset({_UNREAD, *(rule.name for rule in RULES)}) if figures else frozenset()
    if unread:
        hint = "Run `memtend verify`: it says what is damaged."
        findings.append(Finding(_UNREAD, STORE_SCOPE, AlertLevel.ERROR, unread, hint))
    if checks is None:
        return Look(tuple(findings), observed)
    # By the limits of the policy file, and not by those of health as well.
    told = {rule.covers for rule in RULES if figures} | {_OWN}
    findings += _worst(check for check in checks if check.name not in told)
    wide = any(check.name == _BACKUP for check in checks)
    return Look(tuple(findings), observed, health=True, wide=wide, sampled=_SAMPLED)


def _over(
    rule: Rule,
    figures: Sequence[FigureLike],
    policy: AlertPolicy,
    held: Mapping[Subject, AlertLevel],
) -> Iterator[Finding]:
    found: list[Finding] = []
    for figure in figures:
        labels = dict(figure.labels)
        if figure.name != rule.figure or not _about(rule, labels):
            continue
        scope = " ".join(f"{name} {labels[name]}" for name in rule.scope) or STORE_SCOPE
        if rule.counted and _count(rule, figures, labels) < rule.least:
            continue
        level = judge(rule, figure.value, policy, held.get((rule.name, scope)))
        if level is not None:
            found.append(_finding(rule, scope, level, figure.value, policy))
    # The worst first: only so many of one rule open.
    yield from sorted(found, key=lambda one: (-one.level.rank, -abs(one.value or 0), one.scope))


def _about(rule: Rule, labels: Mapping[str, str]) -> bool:
    """Whether a figure with these labels is what the rule judges."""
    if any(labels.get(name) != wanted for name, wanted in rule.only):
        return False
    if any(labels.get(name) in others for name, others in rule.apart):
        return False
    return set(labels) - {name for name, _ in rule.only} == set(rule.scope)


def _finding(
    rule: Rule, scope: str, level: AlertLevel, value: float, policy: AlertPolicy
) -> Finding:
    limit = dict(rule.steps(policy).limits())[level]
    fact = rule.fact.format(value=rule.shown(value), limit=rule.shown(limit))
    return Finding(rule.name, scope, level, fact, rule.hint, value)


def _count(rule: Rule, figures: Sequence[FigureLike], labels: Mapping[str, str]) -> float:
    """Of how many a figure is; unknown is none. A count may be told with fewer labels."""
    ours = set(labels.items())
    return sum(f.value for f in figures if f.name == rule.counted and set(f.labels) <= ours)


def _worst(checks: Iterable[CheckLike]) -> list[Finding]:
    """One finding for each check that complains, the worst of those with one name."""
    found: dict[str, Finding] = {}
    for check in checks:
        level = _LEVELS.get(str(check.level))
        if level is None:
            continue
        before = found.get(check.name)
        if before is None or level.rank > before.level.rank:
            rule = HEALTH + check.name
            found[check.name] = Finding(rule, STORE_SCOPE, level, check.fact, check.hint)
    return list(found.values())


_LEVELS = {level.value: level for level in AlertLevel}
