"""What a copy of a whole store takes along besides the state that a backup holds.

A restore begins with little: who its peers are, which backups there were and which calls have been
answered belongs to the store that was lost. A copy knows all of it. What peers were sent is counted
by the change sequence, which the copy goes on with under another replica id: it begins anew with
each of them, and sends nothing twice that they say they have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from memtend.store.building import is_local
from memtend.store.peers import peers_in, put_peer
from memtend.store.snapshot import AUDIT_KEY

if TYPE_CHECKING:
    from memtend.store.engine import Reader, Row, Transaction
    from memtend.store.peers import Peer

COPY: Final = "copy"
"""The audit action of a copy."""


class Along(NamedTuple):
    """Rows of tables that no backup holds. They are few: none grows with the records."""

    catalog: list[Row]
    ops: list[Row]
    settings: list[Row]
    peers: list[Peer]

    @classmethod
    def of(cls, reader: Reader, url: str) -> Along:
        settings = reader.fetch("stream_setting")
        return cls(
            reader.fetch("stream_catalog"),
            reader.fetch("stream_op"),
            [row for row in settings if is_local(row[0]) and row[0] != AUDIT_KEY],
            [peer._replace(at_seq=0, at_vv={}) for peer in peers_in(reader, url)],
        )

    def write(self, tx: Transaction) -> None:
        tx.run_many("catalog", self.catalog)
        tx.run_many("save_op", self.ops)
        tx.run_many("save_setting", self.settings)
        for peer in self.peers:
            put_peer(tx, peer)


class Origin(NamedTuple):
    """What the audit trail says of a copy: of which line of history, and how far that had come."""

    replica: str
    seq: int
    root: str


def origin_of(reader: Reader) -> Origin | None:
    """Of the last copy that led here; None where the store was never copied."""
    found = None
    for _, _, action, _, detail, _ in reader.stream("stream_audit", (0,)):
        if action == COPY and detail.startswith("{"):
            said = orjson.loads(detail)
            found = Origin(said["replica"], said["seq"], said["root"])
    return found
