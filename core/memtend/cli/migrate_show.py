"""How plans and reports of migrations are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from memtend.cli import show

if TYPE_CHECKING:
    from memtend.migrate.parts import Refusal
    from memtend.migrate.plan import RecastPlan, VersionCount
    from memtend.migrate.report import MigrationReport, Rehearsal
    from memtend.model.upgrade import SchemaPlan, SchemaReport, SchemaState

_SAID = {
    "current": "newest",
    "newer": "newer than asked for",
    "edited": "written since, stays",
    "moved on": "moved on by a later run, stays",
    "archived": "archived, stays as it is there",
    "refused": "cannot be read, stays",
}


def detected(state: SchemaState, found: Sequence[VersionCount] | None, json: bool) -> None:
    if json:
        show.emit({"schema": state, "values": found})
        return
    newest = (
        "which this program does not know" if state.newer else f"this program has {state.known}"
    )
    show.facts((("schema", f"{state.found}; {newest}"),))
    if found is None:
        _hint_schema(state)
        return
    _counts(found)
    older = sum(one.count for one in found if one.move == "cast")
    if older:
        are = "value is" if older == 1 else "values are"
        show.say(f"{older:,} {are} older. `memtend migrate plan` says what would be done.")
    else:
        show.done("no value is older than the newest version")


def planned(plan: RecastPlan, json: bool, rehearsal: Rehearsal | None = None) -> None:
    if json:
        show.emit({"plan": plan, "rehearsal": rehearsal} if rehearsal else plan)
        return
    rollback = plan.operation.endswith("rollback")
    _counts(plan.counts, "comes back as it was" if rollback else "older")
    _kept(plan.refused)
    _losses(plan.losses)
    if rehearsal is not None:
        rows = [(one.name, "ok" if one.ok else "FAILED", one.fact) for one in rehearsal.checks]
        show.table(("rehearsal", "", "found"), rows)
    more = "more" if plan.grows_bytes >= 0 else "less"
    grown = f"{show.size(abs(plan.grows_bytes))} {more} than now"
    show.say(f"would write {plan.planned:,} value{'s' * (plan.planned != 1)}, {grown}")
    if plan.planned:
        how = "--apply" if rollback else "`memtend migrate apply`"
        show.say(f"Nothing was changed. Carry it out with {how}.")


def report(done: MigrationReport, json: bool, schema: SchemaReport | None = None) -> None:
    if json:
        show.emit({"schema": schema, "values": done} if schema else done)
        return
    if schema is not None:
        schema_report(schema, json)
    show.facts(
        (
            ("run", done.run),
            ("backup before", done.manifest),
            ("rehearsed", "yes" if done.rehearsed else "no"),
            ("written", f"{done.written:,}"),
            ("changed since the plan", f"{done.changed_since:,}" if done.changed_since else ""),
            ("written since, left", f"{done.edited:,}" if done.edited else ""),
            ("moved on since, left", f"{done.moved_on:,}" if done.moved_on else ""),
            ("archived, left", f"{done.archived:,}" if done.archived else ""),
            ("cannot be read, left", f"{done.refused:,}" if done.refused else ""),
            ("longest lock", f"{done.longest_lock_ms:.0f} ms" if done.slices else ""),
            ("took", f"{done.seconds:.1f} s"),
        )
    )
    _kept(done.kept)
    _losses(done.losses)
    for text in done.notes:
        show.note(show.clean(text))


def nothing(plan: RecastPlan, json: bool, schema: SchemaReport | None = None) -> None:
    """No value is to be written."""
    if json:
        show.emit({"schema": schema, "values": plan} if schema else plan)
        return
    if schema is not None:
        schema_report(schema, json)
    _counts(plan.counts)
    _kept(plan.refused)
    show.done(f"no value is older than {plan.family} {plan.wanted}")


def schema_plan(plan: SchemaPlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    rows = [(one.number, one.text) for one in plan.revisions]
    show.table(("revision", "what it does"), rows)
    show.facts(
        (
            ("schema", f"{plan.found} → {plan.wanted}"),
            ("records", f"{plan.rows:,}"),
            ("room needed", show.size(plan.needs_bytes)),
            ("would lose", ", ".join(f"{one.rows:,} rows of {one.table}" for one in plan.losses)),
        )
    )
    how = "--apply" if plan.is_downgrade else "`memtend migrate apply`"
    show.say(f"Nothing was changed. Carry it out with {how}.")


def schema_report(done: SchemaReport, json: bool) -> None:
    if json:
        show.emit_model(done)
        return
    show.facts(
        (
            ("schema", f"{done.found} → {done.wanted}"),
            ("run", done.run),
            ("records", f"{done.rows:,}"),
            ("rehearsed", "yes" if done.rehearsed else "no"),
            ("kept as it was", f"{done.snapshot or ''}"),
            ("until", show.moment(done.snapshot_until)),
            ("took", f"{done.seconds:.1f} s"),
        )
    )


def _hint_schema(state: SchemaState) -> None:
    if state.newer:
        show.note("use the newer program that made this store")
    else:
        show.say("`memtend migrate apply` moves the store; its values can be looked at then.")


def _counts(counts: Sequence[VersionCount], cast: str = "older") -> None:
    rows = [
        (
            one.kind,
            one.found or "?",
            f"{one.count:,}",
            show.size(one.size_bytes),
            _SAID.get(one.move, cast),
        )
        for one in counts
    ]
    if rows:
        show.table(("kind", "version", "values", "size", ""), rows, right=(2, 3))


def _kept(kept: Sequence[Refusal]) -> None:
    rows = [(show.clean(f"{one.namespace}/{one.key}"), show.clean(one.why)) for one in kept]
    if rows:
        show.table(("stays as it is", "why"), rows[: show.ROWS_SHOWN])


def _losses(losses: dict[str, int]) -> None:
    for name, count in losses.items():
        show.note(f"the older version has no place for {name}, in {count:,} values")
