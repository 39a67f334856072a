"""The second pass: write exactly what was reviewed, by the store as it is now.

An item is written if its pin is in the plan, so whatever changed in the source since is left out
and counted. What the store holds is looked at again, batch by batch. A run that was cut off is
repeated: what it wrote is known by its lineage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from memtend.ingest.batches import Judge, Seen, batches
from memtend.ingest.quarantine import Quarantine
from memtend.ingest.writing import Writer
from memtend.limits import NOTES_TOLD
from memtend.limits_foreign import IMPORT_TOLD_MAX
from memtend.migrate.importing import ImportPlan, ImportReport
from memtend.migrate.items import Found, Quarantined
from memtend.migrate.twins import Pins
from memtend.model.plan import Action

if TYPE_CHECKING:
    from memtend.guard import Cleared
    from memtend.memory import Memory


def apply_import(
    cleared: Cleared,
    memory: Memory,
    found: Iterable[Found],
    quarantine_url: str,
    seen: Seen = lambda _: None,
) -> ImportReport:
    """Write what the plan takes, and copy what cannot be read to `quarantine_url`."""
    plan = cleared.plan
    if not isinstance(plan, ImportPlan):
        raise TypeError("an import needs an import plan")
    store = memory.store
    began = store.clock.monotonic_ns()
    judge, pins = Judge(memory), Pins(plan.pins)
    writer = Writer(memory, cleared.lease, plan.run)
    counts = dict.fromkeys(Action, 0)
    erased = 0
    with closing(Quarantine(quarantine_url, store.clock, plan.run, plan.source)) as quarantine:
        for batch in batches(found):
            for one in batch.aside:
                if isinstance(one, Quarantined):
                    quarantine.add(one)
            wanted = []
            for item, judged in judge.judge([one for one in batch.items if pins.take(one.pin)]):
                counts[judged.action] += 1
                erased += judged.erased
                if judged.writes:
                    wanted.append((item, judged))
                elif judged.action is Action.REFUSE and not judged.erased:
                    writer.refuse(item, judged.reason)
            writer.write(wanted)
            seen(len(batch.items))
    refusals = [*writer.refusals, *plan.refusals][:IMPORT_TOLD_MAX]
    report = ImportReport(
        operation="import",
        applied=True,
        source=plan.source,
        kind=plan.kind,
        run=plan.run,
        planned=plan.writes,
        written=writer.written,
        unchanged=plan.actions.get(Action.KEEP, 0) + counts[Action.KEEP],
        changed_since=len(pins) - pins.met,
        refused=plan.refused + writer.refused,
        refusals=tuple(refusals),
        expired=plan.expired + counts[Action.SKIP],
        erased=plan.erased + erased,
        counts=plan.counts,
        quarantined=quarantine.count,
        quarantine_url=quarantine.url,
        slices=writer.slices.count,
        longest_lock_ms=writer.slices.longest_ms,
        seconds=(store.clock.monotonic_ns() - began) / 1e9,
    )
    return report.model_copy(update={"notes": tuple(_notes(plan, report))})


def _notes(plan: ImportPlan, report: ImportReport) -> Iterator[str]:
    for name, count in [*plan.counts.items()][:NOTES_TOLD]:
        yield f"{count:,} of {name}"
    if plan.naive_times:
        yield f"{plan.naive_times:,} times without a zone were read as {plan.zone}"
    if report.expired:
        yield f"{report.expired:,} had expired and were not imported"
    if report.erased:
        yield f"{report.erased:,} were erased here before and stay out"
    for one in report.refusals[:NOTES_TOLD]:
        yield f"refused {one.namespace}/{one.key}: {one.reason}"
    for found in plan.quarantined[:NOTES_TOLD]:
        yield f"quarantined {found.path}: {found.reason}"
    for aside in plan.passed_over[:NOTES_TOLD]:
        yield f"passed over {aside.path}: {aside.reason}"
    if (more := plan.passed_over_count - NOTES_TOLD) > 0:
        yield f"passed over {more:,} more"
    if report.quarantine_url:
        yield f"what could not be read is in {report.quarantine_url}"
