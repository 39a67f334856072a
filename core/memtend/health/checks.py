"""The checks. Pure: facts in, report out. None of them costs a scan."""

from __future__ import annotations

from collections.abc import Iterator

from memtend.durations import show_duration
from memtend.health.report import Check, HealthFacts, HealthReport, Level, PeerFacts
from memtend.health.score import score_of, weighed
from memtend.limits import (
    BACKLOG_WARN_ROWS,
    BACKUP_AGE_WARN_MS,
    CONFLICT_KEYS_WARN,
    CONFLICTS_MAX,
    DISK_FREE_WARN_BYTES,
    DRILL_AGE_MAX_MS,
    MESSAGE_AGE_WARN_MS,
    MIB,
    PEER_SILENT_WARN_MS,
    PEERS_NAMED_MAX,
    QUOTA_WARN_SHARE,
    SIBLINGS_MAX,
)

_ORDER = (Level.OK, Level.WARNING, Level.CRITICAL)
_MINUTE_MS = 60_000


def check_health(facts: HealthFacts) -> HealthReport:
    """Judge a store by its figures."""
    checks = tuple(map(weighed, _checks(facts)))
    level = max((check.level for check in checks), key=_ORDER.index)
    return HealthReport(
        at=facts.at,
        level=level,
        healthy=level is Level.OK,
        score=score_of(checks),
        records=facts.records,
        bytes=facts.bytes,
        file_bytes=facts.file_bytes,
        expired_waiting=facts.backlog,
        checks=checks,
    )


def _checks(facts: HealthFacts) -> Iterator[Check]:
    yield _clock(facts)
    yield _backlog(facts)
    yield _quota(facts)
    yield _conflicts(facts.conflicts, facts.siblings_most)
    if facts.backup_asked:
        yield _backup(facts)
        if facts.backup_age_ms is not None:
            yield _drill(facts)
    if facts.peers:
        yield _peers(facts.peers)
    if facts.messages_waiting or facts.messages_dead:
        yield _messages(facts)
    if facts.disk_free_bytes is not None:
        yield _disk(facts.disk_free_bytes)
    if facts.older_values is not None:
        yield _versions(facts.older_values)
    for note in facts.engine_notes:
        yield Check(name="engine", level=Level.OK, fact=note)


def _versions(fact: str) -> Check:
    """Readers understand every version, so this is no trouble."""
    hint = "`memtend migrate plan` shows what moving them would do."
    return Check(name="versions", level=Level.OK, fact=fact, hint=hint)


def _clock(facts: HealthFacts) -> Check:
    if facts.clock_alarm_ms is None:
        return Check(name="clock", level=Level.OK, fact="wall clock and elapsed time agree")
    fact = f"the wall clock is {facts.clock_alarm_ms / 1_000:,.0f} s away from elapsed time"
    hint = "Correct the machine's clock; nothing is swept meanwhile."
    return Check(name="clock", level=Level.CRITICAL, fact=fact, hint=hint)


def _backlog(facts: HealthFacts) -> Check:
    fact = f"{facts.backlog:,} expired records wait to be swept"
    if facts.backlog < BACKLOG_WARN_ROWS:
        return Check(name="expiry", level=Level.OK, fact=fact)
    hint = "Run `memtend sweep --apply`, or schedule the sweep flow."
    return Check(name="expiry", level=Level.WARNING, fact=f"at least {fact}", hint=hint)


def _quota(facts: HealthFacts) -> Check:
    if not facts.pressure:
        return Check(name="quota", level=Level.OK, fact="every quota has room")
    hint = "Delete records, shorten TTLs, or raise the quota in the policy file."
    return Check(
        name="quota",
        level=Level.WARNING,
        fact="nearly used: " + "; ".join(facts.pressure),
        hint=hint,
    )


def _conflicts(keys: int, most: int) -> Check:
    """Several values are no fault, but many for one key mean that nobody reads before writing."""
    if not keys:
        return Check(name="conflicts", level=Level.OK, fact="no key has conflicting values")
    more = "at least " if keys >= CONFLICTS_MAX else ""
    fact = f"{more}{keys:,} keys have conflicting values, up to {most:,} of one"
    hint = "`memtend conflicts list` shows them; settle them, or write in the context of a look."
    if most > SIBLINGS_MAX:
        return Check(name="conflicts", level=Level.CRITICAL, fact=fact, hint=hint)
    if keys >= CONFLICT_KEYS_WARN or most == SIBLINGS_MAX:
        return Check(name="conflicts", level=Level.WARNING, fact=fact, hint=hint)
    return Check(name="conflicts", level=Level.OK, fact=fact)


def _backup(facts: HealthFacts) -> Check:
    if facts.backup_age_ms is None:
        hint = "Run the backup flow now."
        return Check(name="backup", level=Level.CRITICAL, fact="there is no backup", hint=hint)
    age = facts.backup_age_ms // _MINUTE_MS * _MINUTE_MS
    fact = f"the newest backup is {show_duration(age) if age else 'under a minute'} old"
    if facts.backup_rows is not None:
        fact += f" and holds {facts.backup_rows:,} records"
    if facts.backup_age_ms <= BACKUP_AGE_WARN_MS:
        return Check(name="backup", level=Level.OK, fact=fact)
    hint = "Look at the backup flow's last runs, then run it."
    return Check(name="backup", level=Level.WARNING, fact=fact, hint=hint)


def _drill(facts: HealthFacts) -> Check:
    hint = "Run `memtend backup drill`, and schedule the drill flow."
    if facts.drill_passed is False:
        fact = "the last drill found that the newest backup cannot be restored as it was"
        hint = "Run `memtend backup verify`, keep older backups, and take a new full one."
        return Check(name="drill", level=Level.CRITICAL, fact=fact, hint=hint)
    if facts.drill_age_ms is None:
        fact = "no drill has shown yet that the backups can be restored"
        late = facts.backed_up_ms is not None and facts.backed_up_ms > DRILL_AGE_MAX_MS
        level = Level.WARNING if late else Level.OK
        return Check(name="drill", level=level, fact=fact, hint=hint)
    age = facts.drill_age_ms // _MINUTE_MS * _MINUTE_MS
    fact = f"the last good drill is {show_duration(age) if age else 'under a minute'} old"
    if facts.drill_age_ms <= DRILL_AGE_MAX_MS:
        return Check(name="drill", level=Level.OK, fact=fact)
    return Check(name="drill", level=Level.WARNING, fact=fact, hint=hint)


def _messages(facts: HealthFacts) -> Check:
    said = [f"{facts.messages_waiting:,} messages wait"]
    late = facts.messages_age_ms is not None and facts.messages_age_ms > MESSAGE_AGE_WARN_MS
    if facts.messages_age_ms is not None:
        age = facts.messages_age_ms // _MINUTE_MS * _MINUTE_MS
        said.append(f"the oldest for {show_duration(age) if age else 'under a minute'}")
    full = facts.inbox_fullest >= QUOTA_WARN_SHARE
    if full:
        said.append(f"an inbox is {facts.inbox_fullest:.0%} full")
    if facts.messages_dead:
        said.append(f"{facts.messages_dead:,} are dead letters")
    fact = ", ".join(said)
    if not (late or full or facts.messages_dead):
        return Check(name="messages", level=Level.OK, fact=fact)
    hint = "`memtend messages list` shows the inboxes, `memtend messages dead` what was in vain."
    return Check(name="messages", level=Level.WARNING, fact=fact, hint=hint)


def _peers(peers: tuple[PeerFacts, ...]) -> Check:
    troubles = {
        "retired": [p for p in peers if p.retired],
        "never synced": [p for p in peers if not p.retired and p.silent_ms is None],
        "silent for over a day": [p for p in peers if not p.retired and _is_silent(p)],
    }
    facts = [f"{what}: {_named(found)}" for what, found in troubles.items() if found]
    if not facts:
        behind = max(peer.backlog for peer in peers)
        fact = f"{len(peers):,} peers, the farthest {behind:,} events behind"
        return Check(name="peers", level=Level.OK, fact=fact)
    hint = (
        "Run `memtend sync all` and look at the sync flow's last runs; `memtend peers forget` "
        "lets go of one that will not come back."
    )
    return Check(name="peers", level=Level.WARNING, fact="; ".join(facts), hint=hint)


def _is_silent(peer: PeerFacts) -> bool:
    return peer.silent_ms is not None and peer.silent_ms > PEER_SILENT_WARN_MS


def _named(peers: list[PeerFacts]) -> str:
    """The first by name, with what waits for them."""
    shown = [f"{p.name} ({p.backlog:,} events behind)" for p in peers[:PEERS_NAMED_MAX]]
    more = len(peers) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _disk(free: int) -> Check:
    fact = f"{free / MIB:,.0f} MiB free where the store lies"
    if free >= DISK_FREE_WARN_BYTES:
        return Check(name="disk", level=Level.OK, fact=fact)
    hint = "Free space, or sweep and archive; deleting works even on a full disk."
    return Check(name="disk", level=Level.CRITICAL, fact=fact, hint=hint)
