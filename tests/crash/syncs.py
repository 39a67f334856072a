"""What is interrupted of replication: taking in deltas, coming back under a new id, dropping log.

The deltas are made beforehand and lie beside the store, as if another replica had brought them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ormsgpack

from memtend.clock import ManualClock
from memtend.crdt.causal import covers
from memtend.drafting import Put
from memtend.memory import Memory
from memtend.services import Services
from memtend.store.logfloor import drop_log
from memtend.store.rejoining import rejoin
from memtend.store.snapshot import snapshot
from memtend.store.sync import apply, outgoing, vector
from memtend.store.sync_out import body_of

FOLDER: Final = "deltas"
ACTOR: Final = "crash"


def write_deltas(services: Services, folder: Path, now_ms: int) -> None:
    """Two deltas of a peer that has heard all that is in the store: the second follows on the
    first, and each changes, ends and adds something."""
    store, where = services.store, folder / FOLDER
    where.mkdir()
    with Memory.open("sqlite://", clock=ManualClock(now_ms, seed=77)) as peer:
        with outgoing(store, {}) as delta:
            apply(peer.store, delta.pages(), actor=ACTOR)
        seen = vector(store)
        peer.put("notes", "n1", "theirs")
        peer.delete("notes", "n3")
        peer.increment("counts", "visits", 5)
        peer.remove("sets", "colours", "red")
        peer.put("both", "value", "third")
        _write(where / "0", peer, seen)
        seen = vector(peer.store)
        peer.put_many([Put("other", f"m{i}", "their value " * i) for i in range(40)])
        peer.delete("notes", "n5")
        _write(where / "1", peer, seen)


def take_in(services: Services, number: int) -> None:
    path = Path(str(services.store.engine.path)).parent / FOLDER / str(number)
    apply(services.store, ormsgpack.unpackb(path.read_bytes()), actor=ACTOR)


def come_back(services: Services) -> None:
    rejoin(services.store, {}, actor=ACTOR)


def let_go(services: Services) -> None:
    drop_log(services.store, keep_ms=0, actor=ACTOR)


def unseen(services: Services) -> list[str]:
    """Siblings whose event is not in the vector (4.2); there must be none."""
    with snapshot(services.store) as view:
        seen, rows = view.state.vv, list(view.rows())
    return [f"{row.namespace}/{row.key}" for row in rows if not covers(seen, body_of(row).dot)]


def _write(path: Path, peer: Memory, known: dict[str, int]) -> None:
    with outgoing(peer.store, known) as delta:
        path.write_bytes(ormsgpack.packb(list(delta.pages())))
