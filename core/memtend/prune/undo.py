"""Bring back what one prune deleted, from the archive.

Order: 1 records that took others over get their own labels back, 2 the others come back, 3 history
says so. A crash leaves some brought back, and nothing counted twice; repeating does the rest. What
somebody has written, deleted or erased since stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from memtend.codec.archive import Entry
from memtend.codec.compress import Damaged
from memtend.codec.envelope import content_of, unpack
from memtend.limits import REPORT_NAMES_MAX
from memtend.prune.apply import STAYED
from memtend.prune.report import UndoReport
from memtend.prune.slices import pages
from memtend.store.ledger import Filter
from memtend.store.unpruning import Returned, Returning, bring_back, finish, part_again

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import Quotas
    from memtend.store.prunings import Pruning
    from memtend.store.restating import Squeezed
    from memtend.store.store import Store

_PAGE: Final = 150
_WAITING: Final = "{:,} records wait: a later prune took what stands for them; undo that one first"
Squeeze = Callable[[str, str, str, bytes], "Squeezed"]
Entries = Callable[[list[str]], Iterable[Entry]]
"""Everything that the plan's runs keep; given a list for what cannot be read."""


def apply_undo(
    store: Store,
    plan: Pruning,
    entries: Entries,
    *,
    squeeze: Squeeze,
    quotas: Quotas,
    lease: Lease,
) -> UndoReport:
    """Safe to repeat: what is back already is only counted."""
    began = store.clock.monotonic_ns()
    with store.engine.snapshot() as reader:
        ledger = Filter.load(reader)
    unreadable: list[str] = []

    def returning(stayed: bool) -> Iterator[Returning]:
        keeper: Entry | None = None
        for entry in entries(unreadable):
            if entry.rule == STAYED:  # in front of what it took over
                keeper = entry
            erased = ledger.erased_entry(entry.namespace, entry.key, entry.body)
            if (entry.rule == STAYED) is stayed and not erased:
                try:
                    yield _returning(entry, keeper, squeeze)
                except Damaged as error:
                    unreadable.append(f"{entry.namespace}/{entry.key}: {error}")

    def write(how: Callable[..., Returned], page: tuple[Returning, ...]) -> Returned:
        return store.ballast.deleting(lambda: how(store, page, plan, lease=lease, quotas=quotas))

    parted = 0
    if plan.merged:  # 1
        parted = sum(write(part_again, page).rows for page in pages(returning(True), _PAGE))
    unreadable.clear()  # the second pass meets them again
    seen = rows = expired = waiting = slices = 0
    longest = 0.0
    for page in pages(returning(False), _PAGE):  # 2
        started = store.clock.monotonic_ns()
        done = write(bring_back, page)
        longest = max(longest, (store.clock.monotonic_ns() - started) / 1e6)
        seen, rows, slices = seen + len(page), rows + done.rows, slices + 1
        expired, waiting = expired + done.expired, waiting + done.waiting
    if not unreadable and not waiting:
        finish(store, plan, lease=lease)  # 3
    notes = [_WAITING.format(waiting)] * bool(waiting)
    lost = plan.records - seen - len(unreadable)
    return UndoReport(
        operation="undo",
        applied=True,
        planned=plan.records,
        written=rows,
        unchanged=seen - rows - expired,
        refused=len(unreadable),
        slices=slices,
        longest_lock_ms=longest,
        seconds=(store.clock.monotonic_ns() - began) / 1e9,
        plan=plan.plan,
        expired=expired,
        parted=parted,
        unreadable=tuple(unreadable[:REPORT_NAMES_MAX]),
        notes=(*notes, *[f"{lost:,} records are no longer in the archive"] * (lost > 0)),
    )


def _returning(entry: Entry, keeper: Entry | None, squeeze: Squeeze) -> Returning:
    """The keeper only where it said the same: an erasure may have taken the right one out."""
    body = unpack(entry.body)
    value = squeeze(entry.namespace, entry.key, body.kind, entry.text)
    content = content_of(entry.text)
    found = None
    if keeper is not None and keeper is not entry and keeper.text == entry.text:
        found = keeper.namespace, keeper.key
    return Returning(entry.namespace, entry.key, body, entry.exp_ms, content, value, found)
