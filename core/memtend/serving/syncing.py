"""Sync with peers: stores that can be opened, and places through which others are met.

A sync ends with what it makes possible: the log is dropped where everybody has seen it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memtend.clock import to_datetime
from memtend.errors import InvalidSettings
from memtend.limits import PEER_SILENT_WARN_MS
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.health.report import PeerFacts
    from memtend.store.peers import Peer
    from memtend.store.store import Store
    from memtend.sync.address import Where
    from memtend.sync.report import PeerEntry, PeerKind, PeerList, SyncReport

ACTOR = "sync"


class Syncing(Serving):
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
        that was left behind when everybody was rolled back takes the peer's state; what it had not
        sent is saved before, in the file `quarantine` or in a new one beside the plans.
        """
        from memtend.store.conflicted import conflicts_since  # noqa: PLC0415
        from memtend.store.logfloor import drop_log  # noqa: PLC0415
        from memtend.store.peers import peers  # noqa: PLC0415
        from memtend.sync.address import locate  # noqa: PLC0415
        from memtend.sync.report import PeerKind, SyncReport  # noqa: PLC0415

        where = locate(peer, peers(self.store))
        began_ns, seq = self.clock.monotonic_ns(), self.store.meta().seq
        file = self._quarantine(quarantine) if bootstrap else None
        run = self._sync_store if where.kind is PeerKind.STORE else self._sync_place
        done = run(where, pull, push, file)
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
        self, where: Where, pull: bool, push: bool, file: Path | None
    ) -> dict[str, Any]:
        from memtend.store.logfloor import drop_log  # noqa: PLC0415
        from memtend.sync.direct import Ends, exchange  # noqa: PLC0415
        from memtend.sync.joining import join_store  # noqa: PLC0415

        done: dict[str, Any] = {"name": where.name}
        with self._opened(where) as theirs:
            behind = self.store.meta().epoch < theirs.meta().epoch
            if behind and file is not None:
                saved = join_store(self.store, theirs, file, actor=ACTOR)
                done |= {"bootstrapped": True, "saved": saved.path, "unsent": saved.writes}
            ends = Ends(where.shown, where.name, self._label())
            out = exchange(self.store, theirs, ends, pull=pull, push=push, actor=ACTOR)
            drop_log(theirs, actor=ACTOR)
        ways = [way for way in (out.pulled, out.pushed) if way is not None]
        return done | {
            "pulled": out.pulled,
            "pushed": out.pushed,
            "rejoined": out.rejoined,
            "peer_rejoined": out.peer_rejoined,
            "alarms": tuple(alarm for way in ways for alarm in way.alarms),
        }

    def _sync_place(
        self, where: Where, pull: bool, push: bool, file: Path | None
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
        if pull:
            found = Pull(self.store, place, ACTOR).run()
            if found.behind is not None and file is not None:
                saved = join_place(self.store, place, file, actor=ACTOR)
                done |= {"bootstrapped": True, "saved": saved.path, "unsent": saved.writes}
                found = Pull(self.store, place, ACTOR).run()
            around, alarms = found.around, found.way.alarms
            done |= {
                "pulled": found.way, "members": found.members, "rejoined": found.rejoined,
                "behind": found.behind, "findings": found.findings, "alarms": alarms,
            }  # fmt: skip
        if push:
            pushed = publish(self.store, place, around, name=where.name, label=self._label())
            done |= {"pushed": pushed, "alarms": (*alarms, *pushed.alarms)}
        return done

    def peers(self) -> PeerList:
        """Everybody this store syncs with, places and those met there, first what has a name."""
        from memtend.store.peers import peers  # noqa: PLC0415
        from memtend.store.sync import vector  # noqa: PLC0415
        from memtend.sync.report import PeerList  # noqa: PLC0415

        vv = vector(self.store)
        entries = [self._entry(row, vv) for row in peers(self.store)]
        entries.sort(key=lambda one: (one.kind == "member", not one.name, one.name, one.id))
        return PeerList(replica=self.store.own_replica(), vv=vv, peers=tuple(entries))

    def peer(self, name: str) -> PeerEntry:
        """One peer, by its name, its address, or its id or the beginning of that."""
        from memtend.store.sync import vector  # noqa: PLC0415

        return self._entry(self._row(name), vector(self.store))

    def registered(self) -> tuple[str, ...]:
        """What `sync` can be called with: names, and addresses of those without."""
        return tuple(
            one.name or one.url
            for one in self.peers().peers
            if one.kind != "member" and one.retired_at is None
        )

    def add_peer(self, name: str, url: str) -> PeerEntry:
        """Remember an address under a name. Nothing is sent yet."""
        from memtend.store.peers import Peer, address_id, peers, save_peer  # noqa: PLC0415
        from memtend.sync.address import at_address, check_kept, check_peer_name  # noqa: PLC0415

        where = check_kept(at_address(url))
        check_peer_name(name)
        rows = peers(self.store)
        if any(row.name == name and row.url != where.shown for row in rows):
            raise InvalidSettings(name="peer", why=f"there is a peer {name!r} already")
        same = [row for row in rows if row.url == where.shown and self._kind(row) == where.kind]
        new = Peer(address_id(where.kind, where.shown), name, where.shown)
        save_peer(self.store, same[0]._replace(name=name) if same else new)
        return self.peer(name)

    def allow_peer(self, name: str, patterns: Sequence[str]) -> PeerEntry:
        """Let a peer send these namespaces only; without patterns, all. Of a place: who is met
        there and has no patterns of its own."""
        from memtend.model.pattern import compile_pattern  # noqa: PLC0415
        from memtend.store.peers import allow  # noqa: PLC0415

        row = self._row(name)
        allow(self.store, row.id, tuple(compile_pattern(text).text for text in patterns))
        return self.peer(row.id)

    def forget_peer(self, name: str) -> PeerEntry:
        """Forget a peer, and whom one met there if it is a place. A later sync meets it anew."""
        from memtend.store.peers import forget_peer, peers  # noqa: PLC0415

        row = self._row(name)
        entry = self.peer(row.id)
        for one in peers(self.store):
            if one.id == row.id or (entry.kind == "place" and one.url == row.url):
                forget_peer(self.store, one.id)
        return entry

    def retire_silent(self) -> tuple[str, ...]:
        """Retire who was silent for too long, unless it was we who were away; their ids."""
        from memtend.store.peers import peers, retire_silent  # noqa: PLC0415

        met = [row.met_ms for row in peers(self.store)]
        if not met or self.clock.now_ms() - max(met) > PEER_SILENT_WARN_MS:
            return ()
        return tuple(retire_silent(self.store))

    def _row(self, name: str) -> Peer:
        from memtend.store.peers import peers  # noqa: PLC0415

        rows = peers(self.store)
        exact = [row for row in rows if name in (row.id, row.name, row.url) and name]
        named = [row for row in exact if self._kind(row) != "member"] or exact
        found = named or [row for row in rows if name and row.id.startswith(name)]
        if len(found) > 1:
            raise InvalidSettings(name="peer", why=f"{name!r} may be any of {len(found)} peers")
        if not found:
            why = f"there is no {name!r}; `memtend peers list` shows them"
            raise InvalidSettings(name="peer", why=why)
        return found[0]

    def _entry(self, row: Peer, vv: dict[str, int]) -> PeerEntry:
        from memtend.sync.peering import backlog  # noqa: PLC0415
        from memtend.sync.report import PeerEntry  # noqa: PLC0415

        times = (row.met_ms, row.heard_ms, row.retired_ms)
        met_at, heard_at, retired_at = (to_datetime(ms) if ms else None for ms in times)
        return PeerEntry(
            id=row.id, name=row.name, kind=self._kind(row), url=row.url, met_at=met_at,
            heard_at=heard_at, retired_at=retired_at, backlog=backlog(row.seen, vv),
            accept=row.accept, seen=dict(row.seen),
        )  # fmt: skip

    @staticmethod
    def _kind(row: Peer) -> PeerKind:
        from memtend.sync.peering import kind_of  # noqa: PLC0415

        return kind_of(row)

    @contextmanager
    def _opened(self, where: Where) -> Iterator[Store]:
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

    def _quarantine(self, path: str | None) -> Path:
        """Where unsent writes go: the file asked for, or a new one beside the plans."""
        from memtend.objects.urls import address_of, is_local, protocol_of  # noqa: PLC0415

        if path is not None:
            return Path(path)
        plans = self.settings.plans_url
        if not is_local(protocol_of(plans)):
            why = "the plans are not in a folder here; name a file for unsent writes"
            raise InvalidSettings(name="quarantine", why=why)
        at = to_datetime(self.clock.now_ms())
        name = f"{at:%Y%m%dT%H%M%SZ}-{self.store.own_replica()[:8]}.jsonl"
        return Path(address_of(plans)).parent / "memtend-unsent" / name

    def peer_facts(self) -> tuple[PeerFacts, ...]:
        """What health looks at. A store without peers answers without reading more."""
        from memtend.health.report import PeerFacts  # noqa: PLC0415
        from memtend.store.peers import peers  # noqa: PLC0415
        from memtend.store.sync import vector  # noqa: PLC0415
        from memtend.sync.peering import backlog  # noqa: PLC0415

        rows = peers(self.store)
        vv = vector(self.store) if rows else {}
        now_ms = self.clock.now_ms()
        return tuple(
            PeerFacts(
                name=row.name or row.id[:8],
                silent_ms=now_ms - row.met_ms if row.met_ms else None,
                retired=row.retired_ms is not None,
                backlog=backlog(row.seen, vv),
            )
            for row in rows
        )
