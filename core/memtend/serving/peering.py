"""The peers of a store: who they are, what each may send, who fell silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memtend.clock import to_datetime
from memtend.errors import InvalidSettings
from memtend.limits import PEER_SILENT_MS, PEER_SILENT_WARN_MS
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.health.facts import PeerFacts
    from memtend.store.peers import Peer
    from memtend.sync.report import PeerEntry, PeerKind, PeerList


class Peering(Serving):
    """Whom the open store syncs with."""

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
        """Retire who was silent for too long, unless it was we who were away; their ids.

        Call it before a sync: that nobody was met for a day shows that we were away.
        """
        from memtend.store.peers import peers, retire_silent  # noqa: PLC0415

        met = [row.met_ms for row in peers(self.store)]
        if not met or self.clock.now_ms() - max(met) > PEER_SILENT_WARN_MS:
            return ()
        return tuple(retire_silent(self.store))

    def _row(self, name: str) -> Peer:
        from memtend.objects import address_of  # noqa: PLC0415
        from memtend.store.peers import peers  # noqa: PLC0415

        rows = peers(self.store)
        spelt = {name, address_of(name)} if name else set()
        exact = [row for row in rows if {row.id, row.name, row.url} & spelt]
        named = [row for row in exact if self._kind(row) != "member"] or exact
        found = named or [row for row in rows if name and row.id.startswith(name)]
        if len(found) > 1:
            raise InvalidSettings(name="peer", why=f"{name!r} may be any of {len(found)} peers")
        if not found:
            why = f"there is no {name!r}; `memtend peers list` shows them"
            raise InvalidSettings(name="peer", why=why)
        return found[0]

    def _entry(self, row: Peer, vv: dict[str, int]) -> PeerEntry:
        from memtend.sync.report import PeerEntry  # noqa: PLC0415

        times = (row.met_ms, row.heard_ms, row.retired_ms)
        met_at, heard_at, retired_at = (to_datetime(ms) if ms else None for ms in times)
        return PeerEntry(
            id=row.id, name=row.name, kind=self._kind(row), url=row.url, met_at=met_at,
            heard_at=heard_at, retired_at=retired_at, backlog=self._backlog(row, vv),
            accept=row.accept, seen=dict(row.seen),
        )  # fmt: skip

    def _backlog(self, row: Peer, vv: dict[str, int]) -> int:
        """Of a place, what we ourselves have not put there: the others bring their own."""
        from memtend.sync.peering import backlog  # noqa: PLC0415

        own = self.store.own_replica()
        due = {own: vv[own]} if self._kind(row) == "place" and own in vv else vv
        return backlog(row.seen, due)

    @staticmethod
    def _kind(row: Peer) -> PeerKind:
        from memtend.sync.peering import kind_of  # noqa: PLC0415

        return kind_of(row)

    def peer_facts(self) -> tuple[PeerFacts, ...]:
        """What health looks at. A store without peers answers without reading more."""
        from memtend.health.facts import PeerFacts  # noqa: PLC0415
        from memtend.store.peers import peers  # noqa: PLC0415
        from memtend.store.sync import vector  # noqa: PLC0415

        now_ms = self.clock.now_ms()
        gone_ms = now_ms - PEER_SILENT_MS  # who was retired before that is no news
        rows = [row for row in peers(self.store) if not 0 < (row.retired_ms or 0) < gone_ms]
        vv = vector(self.store) if rows else {}
        return tuple(
            PeerFacts(
                name=row.name or row.id[:8],
                silent_ms=now_ms - row.met_ms if row.met_ms else None,
                retired=row.retired_ms is not None,
                backlog=self._backlog(row, vv),
            )
            for row in rows
        )
