"""Whether others do their part: backups, drills, the archive, peers, those who get messages."""

from __future__ import annotations

from collections.abc import Iterator

from memtend.health.facts import HealthFacts, PeerFacts
from memtend.health.making import age, critical, ok, warning
from memtend.health.report import Check
from memtend.limits import (
    BACKUP_AGE_WARN_MS,
    DRILL_AGE_MAX_MS,
    MESSAGE_AGE_WARN_MS,
    PEER_SILENT_WARN_MS,
    PEERS_NAMED_MAX,
    QUOTA_WARN_SHARE,
)


def backup(facts: HealthFacts) -> Iterator[Check]:
    if not facts.backup_asked:
        if not facts.backup_known:
            hint = "`memtend backup take` makes one; with --target they are judged, too."
            yield ok("backups", "no backup is known of, and none was asked about", hint)
        return
    if facts.backup_age_ms is None:
        hint = "Run the backup flow now, or `memtend backup take`."
        yield critical("backup", "there is no backup", hint)
        return
    fact = f"the newest backup is {age(facts.backup_age_ms)} old"
    if facts.backup_rows is not None:
        fact += f" and holds {facts.backup_rows:,} records"
    if facts.backup_age_ms <= BACKUP_AGE_WARN_MS:
        yield ok("backup", fact)
    else:
        yield warning("backup", fact, "Look at the backup flow's last runs, then run it.")


def target(facts: HealthFacts) -> Iterator[Check]:
    if facts.target_trouble is not None:
        hint = "Check the address, the network and the key; until then no backup can be used."
        yield critical("target", facts.target_trouble, hint)


def chain(facts: HealthFacts) -> Iterator[Check]:
    if facts.chain_trouble is not None:
        hint = "Take a new full backup now, then run `memtend backup verify`."
        yield critical("chain", facts.chain_trouble, hint)
    elif facts.chain_length is not None:
        fact = f"what the newest backup needs is there: {facts.chain_length:,} in a row"
        yield ok("chain", fact)


def drill(facts: HealthFacts) -> Iterator[Check]:
    if not facts.backup_asked or (facts.backup_age_ms is None and facts.drill_passed is not False):
        return
    hint = "Run `memtend backup drill`, and schedule the drill flow."
    if facts.drill_passed is False:
        fact = "the last drill found that the newest backup cannot be restored as it was"
        hint = "Run `memtend backup verify`, keep older backups, and take a new full one."
        yield critical("drill", fact, hint)
    elif facts.drill_age_ms is None:
        fact = "no drill has shown yet that the backups can be restored"
        late = facts.backed_up_ms is not None and facts.backed_up_ms > DRILL_AGE_MAX_MS
        yield warning("drill", fact, hint) if late else ok("drill", fact, hint)
    else:
        fact = f"the last good drill is {age(facts.drill_age_ms)} old"
        late = facts.drill_age_ms > DRILL_AGE_MAX_MS
        yield warning("drill", fact, hint) if late else ok("drill", fact)


def archive(facts: HealthFacts) -> Iterator[Check]:
    if not facts.archived:
        return
    if facts.archive_trouble is not None:
        fact = f"{facts.archived:,} values are in the archive: {facts.archive_trouble}"
        yield critical(
            "archive", fact, "Bring the archive back; then run `memtend archive verify`."
        )
    else:
        yield ok("archive", f"{facts.archived:,} values are in the archive, which can be read")


def models(facts: HealthFacts) -> Iterator[Check]:
    if facts.model_trouble is not None:
        hint = "Bring its files back, or fit and promote another: `memtend learn fit --promote`."
        yield warning("models", f"agents get no learned advice: {facts.model_trouble}", hint)
    elif facts.models:
        yield ok("models", f"{facts.models:,} learned models are in use, and their files are there")


def messages(facts: HealthFacts) -> Iterator[Check]:
    if not (facts.messages_waiting or facts.messages_dead):
        return
    said = [f"{facts.messages_waiting:,} messages wait"]
    late = facts.messages_age_ms is not None and facts.messages_age_ms > MESSAGE_AGE_WARN_MS
    if facts.messages_age_ms is not None:
        said.append(f"the oldest for {age(facts.messages_age_ms)}")
    full = facts.inbox_fullest >= QUOTA_WARN_SHARE
    if full:
        said.append(f"an inbox is {facts.inbox_fullest:.0%} full")
    if facts.messages_dead:
        said.append(f"{facts.messages_dead:,} are dead letters")
    fact = ", ".join(said)
    if late or full or facts.messages_dead:
        hint = (
            "`memtend messages list` shows the inboxes, `memtend messages dead` what was in vain."
        )
        yield warning("messages", fact, hint)
    else:
        yield ok("messages", fact)


def peers(facts: HealthFacts) -> Iterator[Check]:
    found = facts.peers
    if not found:
        return
    troubles = {
        "retired": [p for p in found if p.retired],
        "never synced": [p for p in found if not p.retired and p.silent_ms is None],
        "silent for over a day": [p for p in found if not p.retired and _is_silent(p)],
    }
    said = [f"{what}: {_named(those)}" for what, those in troubles.items() if those]
    if not said:
        behind = max(peer.backlog for peer in found)
        yield ok("peers", f"{len(found):,} peers, the farthest {behind:,} events behind")
        return
    hint = (
        "Run `memtend sync all` and look at the sync flow's last runs; `memtend peers forget` "
        "lets go of one that will not come back."
    )
    yield warning("peers", "; ".join(said), hint)


def _is_silent(peer: PeerFacts) -> bool:
    return peer.silent_ms is not None and peer.silent_ms > PEER_SILENT_WARN_MS


def _named(peers: list[PeerFacts]) -> str:
    """The first by name, with what waits for them."""
    shown = [f"{p.name} ({p.backlog:,} events behind)" for p in peers[:PEERS_NAMED_MAX]]
    more = len(peers) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
