"""The same value with other labels, as a new event that keeps the time of its writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.codec.envelope import is_sound, path_of, prefix_of

if TYPE_CHECKING:
    from memtend.codec.envelope import Body
    from memtend.store.change import Change, Old
    from memtend.store.store import Store


def relabel(store: Store, change: Change, old: Old, namespace: str, body: Body) -> int | None:
    """Write a plain row again with this body; returns its new number.

    None where it does not match its hash: a new one would make it look sound.
    """
    [row] = change.tx.fetch("by_seq", (store.engine.array([old.seq]),))
    prefix, path = prefix_of(namespace), path_of(old.key, "")
    if not is_sound(prefix, path, old.flags, old.exp, row[13], row[14], row[15]):
        return None
    change.drop(old, namespace)
    dot = change.mint()
    packed, value = body._replace(replica=dot.replica, n=dot.n).pack(), bytes(row[14])
    change.insert(
        namespace,
        body,
        (old.ns, old.key, "", change.meta.replica_no, dot.n, old.exp, old.flags, body.kind,
         body.agent, body.writer, row[11], len(packed) + len(value), packed, value),
    )  # fmt: skip
    return change.seq
