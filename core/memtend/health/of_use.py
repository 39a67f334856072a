"""Whether the store bears what is done with it: clock, room, speed, waits, conflicts, rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtend.health.facts import HealthFacts
from memtend.health.making import age, critical, ok, some_of, warning
from memtend.health.report import Check
from memtend.limits import (
    BACKLOG_WARN_ROWS,
    CONFLICT_KEYS_WARN,
    CONFLICTS_MAX,
    LEASE_TICKETS_MAX,
    PEER_AHEAD_MS_MAX,
    QUOTA_WARN_SHARE,
    SIBLINGS_MAX,
)
from memtend.limits_upkeep import (
    LEASE_QUEUE_WARN,
    LOG_WARN_MS,
    LOG_WARN_ROWS,
    QUERIES_MIN,
    QUERY_P95_WARN_MS,
    REGRET_PRUNED_MIN,
    REGRET_WARN_SHARE,
)

_LARGE: Final = frozenset({"get_many", "put_many", "scan", "thaw"})
"""Operations that take as long as what they are given is large, or as the archive is far away."""


def clock(facts: HealthFacts) -> Iterator[Check]:
    hint = "Correct the machine's clock; nothing is swept meanwhile."
    if facts.clock_alarm_ms is not None:
        fact = f"the wall clock is {facts.clock_alarm_ms / 1_000:,.0f} s away from elapsed time"
        yield critical("clock", fact, hint)
    elif facts.ahead_ms > PEER_AHEAD_MS_MAX:
        fact = f"the newest write is {facts.ahead_ms / 1_000:,.0f} s ahead of this clock"
        yield critical("clock", fact, "Correct the clock that is wrong, this one or the writer's.")
    else:
        yield ok("clock", "wall clock and elapsed time agree")


def expiry(facts: HealthFacts) -> Iterator[Check]:
    if facts.backlog is None:
        return
    fact = f"{facts.backlog:,} expired records wait to be swept"
    if facts.backlog < BACKLOG_WARN_ROWS:
        yield ok("expiry", fact)
    else:
        hint = "Run `memtend sweep --apply`, or schedule the sweep flow."
        yield warning("expiry", f"at least {fact}", hint)


def quota(facts: HealthFacts) -> Iterator[Check]:
    hint = "Delete records, shorten TTLs, or raise the quota in the policy file."
    full = tuple(f"{one.what} {one.share:.0%}" for one in facts.pressure if one.share >= 1)
    if full:
        fact = f"full, so that writes are refused: {some_of(full)}"
        yield critical("quota", fact, hint)
    elif facts.pressure:
        near = tuple(f"{one.what} {one.share:.0%}" for one in facts.pressure)
        yield warning("quota", f"nearly used: {some_of(near)}", hint)
    else:
        yield ok("quota", "every quota has room")


def limits(facts: HealthFacts) -> Iterator[Check]:
    """Ends that are not set by anybody, but by formats and servers."""
    if not facts.bounds:
        return
    near = [one for one in facts.bounds if one.share >= QUOTA_WARN_SHARE]
    if not near:
        yield ok("limits", "nothing is near an end of its own")
        return
    fact = some_of(tuple(f"{one.used:,} of {one.limit:,} {one.what}" for one in near))
    hint = "Split the store or retire what is not needed before the end is reached."
    worst = max(one.share for one in near)
    yield critical("limits", fact, hint) if worst >= 1 else warning("limits", fact, hint)


def performance(facts: HealthFacts) -> Iterator[Check]:
    """Of what concerns one record, or asks a question; not of the archive, which may lie far
    away."""
    known = [
        one for one in facts.slow
        if one.count >= QUERIES_MIN and one.tier != "cold" and one.op not in _LARGE
    ]  # fmt: skip
    if not known:
        return
    slow = [one for one in known if one.p95_ms > QUERY_P95_WARN_MS]
    if slow:
        said = tuple(f"{one.op} of {one.tier} values took {one.p95_ms:,.0f} ms" for one in slow)
        hint = "Look for long transactions and a full disk, then run `memtend optimize --apply`."
        yield warning("performance", f"one in twenty in the last day: {some_of(said)}", hint)
    else:
        worst = max(known, key=lambda one: one.p95_ms)
        fact = f"95 of 100 took at most {worst.p95_ms:,.1f} ms ({worst.op}, the slowest)"
        yield ok("performance", fact)


def conflicts(facts: HealthFacts) -> Iterator[Check]:
    """Several values are no fault, but many for one key mean that nobody reads before writing."""
    keys, most = facts.conflicts, facts.siblings_most
    if keys is None:
        return
    if not keys:
        yield ok("conflicts", "no key has conflicting values")
        return
    more = "at least " if facts.conflicts_sampled or keys >= CONFLICTS_MAX else ""
    fact = f"{more}{keys:,} keys have conflicting values, up to {most:,} of one"
    hint = "`memtend conflicts list` shows them; settle them, or write in the context of a look."
    if most > SIBLINGS_MAX:
        yield critical("conflicts", fact, hint)
    elif keys >= CONFLICT_KEYS_WARN or most == SIBLINGS_MAX:
        yield warning("conflicts", fact, hint)
    else:
        yield ok("conflicts", fact)


def leases(facts: HealthFacts) -> Iterator[Check]:
    if facts.waiters < LEASE_QUEUE_WARN:
        return
    fact = f"{facts.waiters:,} wait for the lease on {facts.waited_for}"
    hint = "`memtend lease list` shows who holds it, `memtend lease release` takes it away."
    full = facts.waiters >= QUOTA_WARN_SHARE * LEASE_TICKETS_MAX
    yield critical("leases", fact, hint) if full else warning("leases", fact, hint)


def changelog(facts: HealthFacts) -> Iterator[Check]:
    hint = "Sweep daily, which lets go of it; forget peers that will not come back; take backups."
    if facts.log_age_ms is not None and facts.log_age_ms > LOG_WARN_MS:
        fact = f"the change log reaches back {age(facts.log_age_ms)}"
        yield warning("changelog", fact, hint)
    elif facts.log_rows >= LOG_WARN_ROWS:
        fact = f"the change log has at least {facts.log_rows:,} entries"
        yield warning("changelog", fact, hint)


def policies(facts: HealthFacts) -> Iterator[Check]:
    if facts.policy_troubles:
        hint = "Change the policy file and set it: `memtend policies set`."
        yield warning("policies", some_of(facts.policy_troubles), hint)


def regret(facts: HealthFacts) -> Iterator[Check]:
    known = [one for one in facts.regret if one.pruned >= REGRET_PRUNED_MIN]
    missed = [one for one in known if one.share >= REGRET_WARN_SHARE]
    if missed:
        fact = some_of(
            tuple(f"{one.share:.0%} of what {one.rule} pruned was missed since" for one in missed)
        )
        hint = "Take them back, and let the rule wait longer in the policy file."
        yield warning("regret", fact, hint)
    elif known:
        yield ok("regret", "little of what was pruned was asked for since")


def alerts(facts: HealthFacts) -> Iterator[Check]:
    """No complaint of its own: what they are about is one already."""
    if facts.alerts:
        said = ", ".join(f"{count:,} {level}" for level, count in sorted(facts.alerts.items()))
        yield ok("alerts", f"standing: {said}")
