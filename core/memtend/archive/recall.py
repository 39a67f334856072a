"""Bringing archived records back: some, all that match, or all of one run.

Order: 1 read the value from its block and check it, 2 write it in the place of its address, as a
new event with the old labels, creation time and deadline, in slices. The
archive keeps its copy until `compact`. A crash leaves some recalled; running again does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from memtend.archive.manifest import Part
from memtend.archive.moving import pages, renewed
from memtend.archive.reading import ArchiveReader
from memtend.archive.report import ArchiveReport
from memtend.archive.vault import Cursor, Vault
from memtend.codec.address import read_address
from memtend.codec.compress import Codec, Damaged
from memtend.codec.envelope import check_row, codec_of, unpack
from memtend.errors import ArchiveDamaged
from memtend.limits import PLAN_DECISIONS_MAX, REPORT_NAMES_MAX
from memtend.model.facts import Facts
from memtend.model.plan import Action, Decision, Plan
from memtend.store import archived, restating

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.model.stored import StoredRow
    from memtend.store.archived import Stub
    from memtend.store.store import Store

_PAGE = 100

Squeeze = Callable[[str, str, str, bytes], restating.Squeezed]
"""Namespace, key, kind and text to what is stored, as the policies want it."""


def plan_recall(stubs: Iterable[Stub], facts: Facts, why: str) -> Plan:
    """Recall these records. `why` says what they were chosen by."""
    decisions = []
    for stub in stubs:
        if stub.address is None:
            continue
        decisions.append(
            Decision.model_construct(
                action=Action.RECALL,
                namespace=stub.namespace,
                key=stub.key,
                seq=stub.seq,
                reason=why,
                size_bytes=stub.address.was_bytes,
            )
        )
        if len(decisions) == PLAN_DECISIONS_MAX:
            break
    return Plan(
        operation="recall",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        decisions=tuple(decisions),
        truncated=len(decisions) == PLAN_DECISIONS_MAX,
    )


def of_run(stubs: Iterable[Stub], vault: Vault, run: int) -> Iterator[Stub]:
    """Those that this run archived, wherever they have been moved since."""
    parts: dict[bytes, Part] = {}
    for _, part in vault.parts():
        parts |= {bytes.fromhex(name): part for name in (*part.replaces, part.object)}
    cursor = Cursor(vault)
    for stub in stubs:
        held = parts.get(stub.address.object) if stub.address else None
        if stub.address is None or held is None or run not in held.runs:
            continue
        what = f"{stub.namespace}/{stub.key}"
        if len(held.runs) == 1 or cursor.entry(stub.address, what).run == run:
            yield stub


def apply_recall(
    plan: Plan,
    store: Store,
    reader: ArchiveReader,
    *,
    squeeze: Squeeze,
    quotas: Quotas,
    lease: Lease | None = None,
) -> ArchiveReport:
    """Recall what the plan names; what changed since or cannot be read is counted.

    It destroys nothing, so it needs no lease; with one, no archive run works against it.
    """
    clock = store.clock
    began = clock.monotonic_ns()
    seqs = [one.seq for one in plan.decisions if one.action is Action.RECALL]
    rows = slices = before = after = 0
    longest, unreadable = 0.0, list[str]()
    for page in pages(seqs, _PAGE):
        lease = renewed(store, lease) if lease else None
        found = archived.rows_of(store, page)
        values = {}
        for seq, row in found.items():
            try:
                values[seq] = _value(row, reader, squeeze)  # 1
            except (ArchiveDamaged, Damaged) as error:
                unreadable.append(f"{row.namespace}/{row.key}: {error}")
        if not values:
            continue
        started = clock.monotonic_ns()
        done = restating.recall(store, values, lease=lease, quotas=quotas, note="recalled")  # 2
        longest = max(longest, (clock.monotonic_ns() - started) / 1e6)
        rows, slices = rows + done.rows, slices + 1
        before, after = before + done.before_bytes, after + done.after_bytes
    return ArchiveReport(
        operation="recall",
        applied=True,
        planned=len(seqs),
        written=rows,
        refused=len(unreadable),
        changed_since=len(seqs) - rows - len(unreadable),
        slices=slices,
        longest_lock_ms=longest,
        seconds=(clock.monotonic_ns() - began) / 1e9,
        before_bytes=after,
        stub_bytes=before,
        unreadable=tuple(unreadable[:REPORT_NAMES_MAX]),
    )


def _value(row: StoredRow, reader: ArchiveReader, squeeze: Squeeze) -> restating.Squeezed:
    if codec_of(row.flags) != Codec.ARCHIVED or not check_row(row):
        raise Damaged("its row does not match its hash")
    text = reader.text(read_address(row.value), f"{row.namespace}/{row.key}")
    return squeeze(row.namespace, row.key, unpack(row.body).kind, text)
