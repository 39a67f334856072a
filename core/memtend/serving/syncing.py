"""Sync with peers: stores that can be opened, and places through which others are met.

A sync ends with what it makes possible: the log is dropped where everybody has seen it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memtend.clock import to_datetime
from memtend.errors import InvalidSettings
from memtend.serving.peering import Peering

if TYPE_CHECKING:
    from memtend.store.store import Store
    from memtend.sync.address import Where
    from memtend.sync.joining import Joined
    from memtend.sync.report import SyncReport
    from memtend.sync.saving import Guard

ACTOR = "sync"


class Syncing(Peering):
    """Replication of the open store."""

    def sync(
        self,
        peer: str,
        *,
        pull: bool = True,
        push: bool = True,
        bootstrap: bool = False,
        quarantine: str | None = None,
    ) -> SyncReport:
        """Bring this store and a peer to the same state.

        `peer` is a registered name, the address of a store, or a place. With `bootstrap`, a store
        that was left behind when everybody was rolled back, or was put back to an older copy, takes
        the peer's state; what it had not sent is saved before, in the file `quarantine` or in a new
        one beside the plans.
        """
        from memtend.store.conflicted import conflicts_since  # noqa: PLC0415
        from memtend.store.logfloor import drop_log  # noqa: PLC0415
        from memtend.store.peers import peers  # noqa: PLC0415
        from memtend.sync.address import locate  # noqa: PLC0415
        from memtend.sync.report import PeerKind, SyncReport  # noqa: PLC0415
        from memtend.sync.saving import Guard  # noqa: PLC0415

        where = locate(peer, peers(self.store))
        began_ns, seq = self.clock.monotonic_ns(), self.store.meta().seq
        guard = Guard(self.store, lambda: self._quarantine(quarantine))
        file = self._quarantine(quarantine) if bootstrap else None
        run = self._sync_store if where.kind is PeerKind.STORE else self._sync_place
        done = run(where, pull, push, guard, file)
        if guard.saved.writes:
            done |= {"saved": guard.saved.path, "unsent": guard.saved.writes}
        dropped = drop_log(self.store, actor=ACTOR)
        meta = self.store.meta()
        return SyncReport(
            peer=where.shown,
            kind=where.kind,
            at=to_datetime(self.clock.now_ms()),
            replica=self.store.own_replica(),
            epoch=meta.epoch,
            conflicts=conflicts_since(self.store, seq),
            log_dropped=dropped,
            seconds=(self.clock.monotonic_ns() - began_ns) / 1e9,
            **done,
        )

    def _sync_store(
        self, where: Where, pull: bool, push: bool, guard: Guard, file: Path | None
    ) -> dict[str, Any]:
        from memtend.store.logfloor import drop_log  # noqa: PLC0415
        from memtend.sync.direct import Ends, Guards, check_strangers, exchange  # noqa: PLC0415
        from memtend.sync.joining import join_store  # noqa: PLC0415
        from memtend.sync.saving import Guard  # noqa: PLC0415

        done: dict[str, Any] = {"name": where.name}
        with self._peer_opened(where) as theirs:
            if file is not None:
                check_strangers(self.store, theirs)
                with self._maintaining("bootstrap") as lease:
                    done |= _told(join_store(self.store, theirs, file, actor=ACTOR, lease=lease))
            ends = Ends(where.shown, where.name, self._label())
            guards = Guards(guard, Guard(theirs, lambda: self._quarantine(None, theirs)))
            out = exchange(
                self.store, theirs, ends, pull=pull, push=push, guards=guards, actor=ACTOR
            )
            drop_log(theirs, actor=ACTOR)
        alarms = []
        if guards.theirs.saved.writes:
            alarms.append(f"what the peer held of its own before is in {guards.theirs.saved.path}")
        ways = [way for way in (out.pulled, out.pushed) if way is not None]
        return done | {
            "pulled": out.pulled,
            "pushed": out.pushed,
            "rejoined": out.rejoined,
            "peer_rejoined": out.peer_rejoined,
            "renewed": out.pulled.renewed if out.pulled else "",
            "alarms": (*(alarm for way in ways for alarm in way.alarms), *alarms),
        }

    def _sync_place(
        self, where: Where, pull: bool, push: bool, guard: Guard, file: Path | None
    ) -> dict[str, Any]:
        from memtend.objects import open_target  # noqa: PLC0415
        from memtend.sync.joining import join_place  # noqa: PLC0415
        from memtend.sync.place import Place  # noqa: PLC0415
        from memtend.sync.publishing import Surroundings, publish  # noqa: PLC0415
        from memtend.sync.pulling import Pull  # noqa: PLC0415

        place = Place(open_target(where.url, self.clock))
        done: dict[str, Any] = {"name": where.name}
        around = Surroundings()
        alarms: tuple[str, ...] = ()
        if file is not None:
            with self._maintaining("bootstrap") as lease:
                done |= _told(join_place(self.store, place, file, actor=ACTOR, lease=lease))
        if pull:
            found = Pull(self.store, place, guard, ACTOR).run()
            around, alarms = found.around, found.way.alarms
            done |= {
                "pulled": found.way, "members": found.members, "rejoined": found.rejoined,
                "behind": found.behind, "findings": found.findings, "alarms": alarms,
                "renewed": found.way.renewed,
            }  # fmt: skip
        if push:
            pushed = publish(self.store, place, around, name=where.name, label=self._label())
            done |= {"pushed": pushed, "alarms": (*alarms, *pushed.alarms)}
        return done

    @contextmanager
    def _peer_opened(self, where: Where) -> Iterator[Store]:
        """The other store, under its own identity and with its own audit key."""
        from memtend.reaching import ColdReads  # noqa: PLC0415
        from memtend.store.store import Store  # noqa: PLC0415

        durability = self.settings.durability
        theirs = Store.open(where.url, clock=self.clock, create=False, durability=durability)
        theirs.archive = ColdReads(theirs, self.settings.backup_secret)
        try:
            yield theirs
        finally:
            theirs.close()

    def _label(self) -> str:
        """What others call this store until somebody there names it."""
        from memtend.serving.backups import label_of  # noqa: PLC0415

        return label_of(self.store.url)

    def _quarantine(self, path: str | None, store: Store | None = None) -> Path:
        """Where unsent writes go: the file asked for, or a new one beside the plans."""
        from memtend.objects.urls import address_of, is_local, protocol_of  # noqa: PLC0415

        if path is not None:
            return Path(path)
        plans = self.settings.plans_url
        if not is_local(protocol_of(plans)):
            why = "the plans are not in a folder here; name a file for unsent writes"
            raise InvalidSettings(name="quarantine", why=why)
        at = to_datetime(self.clock.now_ms())
        name = f"{at:%Y%m%dT%H%M%SZ}-{(store or self.store).own_replica()[:8]}.jsonl"
        return Path(address_of(plans)).parent / "memtend-unsent" / name


def _told(joined: Joined) -> dict[str, Any]:
    return {
        "bootstrapped": True,
        "saved": joined.saved.path,
        "unsent": joined.saved.writes,
        "late": joined.late,
    }
