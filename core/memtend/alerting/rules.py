"""The rules over figures: which figure, about whom, from where on, and how far back it must come.

    >>> judge(AGENT, 61 * MIB, AlertPolicy(), None)
    <AlertLevel.WARNING: 'warning'>
    >>> judge(AGENT, 58 * MIB, AlertPolicy(), AlertLevel.WARNING)  # not a tenth below the limit yet
    <AlertLevel.WARNING: 'warning'>
    >>> judge(AGENT, 54 * MIB, AlertPolicy(), AlertLevel.WARNING) is None
    True

A figure that is not known raises nothing, and a share or a percentile counts only where enough was
counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from memtend.limits import GIB, KIB, MIB
from memtend.limits_upkeep import (
    ALERT_CALM_SHARE,
    CACHE_READS_MIN,
    QUERIES_MIN,
    REGRET_PRUNED_MIN,
)
from memtend.model.alert import AlertLevel
from memtend.model.alertpolicy import AlertPolicy, Steps


class Rule(NamedTuple):
    """`scope` are the labels that say whom it is about; `only` those that a figure must have.

    `apart` are labels, by the values of which nothing is judged.
    `counted` names the figure, with the same labels, that says of how many it is; fewer than
    `least` say nothing. `covers` is the check of health that looks at the same.
    """

    name: str
    figure: str
    steps: Callable[[AlertPolicy], Steps]
    fact: str
    hint: str
    shown: Callable[[float], str]
    scope: tuple[str, ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    apart: tuple[tuple[str, frozenset[str]], ...] = ()
    downwards: bool = False
    counted: str = ""
    least: int = 0
    covers: str = ""


def judge(
    rule: Rule, value: float, policy: AlertPolicy, held: AlertLevel | None
) -> AlertLevel | None:
    """The level of a value; `held` is the level that stands, which ends only well within its
    limit."""
    for level, limit in rule.steps(policy).limits():
        standing = held is not None and held.rank >= level.rank
        if _passes(rule, value, limit, standing):
            return level
    return None


def _passes(rule: Rule, value: float, limit: float, standing: bool) -> bool:
    if rule.downwards:
        return value < (limit * (1 + ALERT_CALM_SHARE) if standing else limit)
    return value > (limit * (1 - ALERT_CALM_SHARE) if standing else limit)


def _size(value: float) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,.0f} B"


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"


def _share(value: float) -> str:
    return f"{value:.1%}"


AGENT: Final = Rule(
    "agent.memory",
    "memtend_agent_bytes",
    lambda policy: policy.agent_bytes,
    "its memory takes {value}, with a limit of {limit}",
    "`memtend prune` shows what could go; shorten TTLs, or raise alerts: agent_bytes in the policy "
    "file.",
    _size,
    scope=("agent",),
)
STORE: Final = Rule(
    "store.memory",
    "memtend_bytes",
    lambda policy: policy.store_bytes,
    "the records take {value}, with a limit of {limit}",
    "`memtend archive run` and `memtend prune` show what could go; shorten TTLs, or raise alerts: "
    "store_bytes in the policy file.",
    _size,
)
QUERY: Final = Rule(
    "query.p95",
    "memtend_latency_ms",
    lambda policy: policy.query_p95_ms,
    "one in twenty took {value} or longer, with a limit of {limit}",
    "Look at `memtend health`: a busy disk, a long transaction or old statistics are the usual "
    "causes.",
    _ms,
    scope=("op", "tier"),
    only=(("quantile", "0.95"),),
    # These take as long as what they are given is large, or as the archive is far away.
    apart=(
        ("tier", frozenset({"cold"})),
        ("op", frozenset({"get_many", "put_many", "scan", "thaw"})),
    ),
    counted="memtend_operations_day",
    least=QUERIES_MIN,
    covers="performance",
)
CACHE: Final = Rule(
    "cache.hit",
    "memtend_cache_hit_share",
    lambda policy: policy.cache_hit_share,
    "{value} of its reads find what they look for, with a limit of {limit}",
    "It is too small for what is read: keep the store smaller, or give the machine more memory.",
    _share,
    scope=("cache",),
    downwards=True,
    counted="memtend_cache_reads_day",
    least=CACHE_READS_MIN,
)
REGRET: Final = Rule(
    "prune.regret",
    "memtend_regret_share",
    lambda policy: policy.regret_share,
    "{value} of what it pruned was asked for since, with a limit of {limit}",
    "Give this rule of the section prune in the policy file a longer time, or turn it off.",
    _share,
    scope=("rule",),
    counted="memtend_pruned_total",
    least=REGRET_PRUNED_MIN,
    covers="regret",
)
RULES: Final = (AGENT, STORE, QUERY, CACHE, REGRET)
