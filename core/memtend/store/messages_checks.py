"""What `verify` asks of messages: that bodies are as sent, and that the books agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from memtend.store.engine import Reader


def problems(reader: Reader) -> Iterator[tuple[str, str]]:
    """Where, and what is wrong. Checksums of the rows themselves are compared elsewhere."""
    pending: Counter[int] = Counter()
    lanes: set[tuple[str, str]] = set()
    held: dict[str, list[int]] = {}
    for inbox, dead, sender, no, _, size, *_ in reader.stream("stream_delivery"):
        pending[no] += 1
        totals = held.setdefault(inbox, [0, 0, 0])
        for at, grown in enumerate((1 - dead, size, dead)):
            totals[at] += grown
        if not dead:
            lanes.add((inbox, sender))
    for row in reader.stream("stream_message_rows"):
        no, total, open_, body = row[0], row[11], row[13], bytes(row[15])
        if open_ != pending.pop(no, 0):
            yield f"message {no}", "it counts other deliveries than there are"
        elif crc32(body) != total and (open_ or body):
            yield f"message {no}", "its body does not match its checksum"
    for no in pending:
        yield f"delivery {no}", "its message is missing"
    found = {(inbox, sender) for inbox, sender, *_ in reader.stream("stream_lane")}
    for inbox, sender in sorted(found ^ lanes):
        yield f"lane {inbox} {sender}", "is missing" if (inbox, sender) in lanes else "is empty"
    for name, *totals, _ in reader.stream("stream_inbox"):
        if totals != held.pop(name, [0, 0, 0]):
            yield f"inbox {name}", "its totals are wrong"
    for name in held:
        yield f"inbox {name}", "is missing"
