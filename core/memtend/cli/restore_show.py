"""What a restore would do and did, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.cli import show

if TYPE_CHECKING:
    from memtend.backup.restore import RestoreReport
    from memtend.backup.restore_plan import RestorePlan


def preview(plan: RestorePlan, json: bool) -> None:
    if json:
        show.emit_model(plan)
        return
    rows = [
        (d.action.value, f"{d.namespace}/{d.key}", show.size(d.size_bytes), d.reason)
        for d in plan.decisions[: show.ROWS_SHOWN]
    ]
    if rows:
        show.table(("do", "record", "size", "why"), rows, right=(2,))
    _more(plan.added + plan.changed + plan.removed - len(rows), "records")
    names = [(c.namespace, f"{c.added:,}", f"{c.changed:,}", f"{c.removed:,}")
             for c in plan.namespaces[: show.ROWS_SHOWN]]  # fmt: skip
    if names:
        show.table(("namespace", "added", "changed", "removed"), names, right=(1, 2, 3))
    _more(len(plan.namespaces) - len(names), "namespaces")
    show.facts(
        (
            ("backup", plan.manifest),
            ("of", f"{show.moment(plan.at)}; {plan.why_this}"),
            ("changes since", f"from {plan.then}" if plan.then else ""),
            ("records", f"{plan.rows:,}, {show.size(plan.bytes)}"),
            (
                "expired meanwhile",
                f"{plan.expired:,}, which stay invisible" if plan.expired else "",
            ),
            ("erased meanwhile", f"{plan.erased:,}, which stay erased" if plan.erased else ""),
            ("values in the archive", f"{plan.archived:,}" if plan.archived else ""),
            ("not exact", _uncertain(plan)),
            ("peers", _peers(plan)),
            (
                "settings",
                "policies go back to those of the backup" if plan.settings_changed else "",
            ),
            ("mode", plan.mode.value),
        )
    )
    for text in plan.notes:
        show.note(text)
    show.say(
        f"would add {plan.added:,}, change {plan.changed:,}, remove {plan.removed:,} and leave "
        f"{plan.unchanged:,} records as they are"
    )
    show.say("Nothing was changed. Carry it out with --apply.")


def _more(left: int, what: str) -> None:
    if left > 0:
        show.say(f"and {left:,} more {what}; --json names more of them")


def _uncertain(plan: RestorePlan) -> str:
    if plan.exact:
        return ""
    if not plan.uncertain:
        return f"no change after {show.moment(plan.at)} is known"
    names = ", ".join(plan.uncertain_names[:3])
    return f"{plan.uncertain:,} records changed again later, and come as they were before: {names}"


def _peers(plan: RestorePlan) -> str:
    if not plan.replicas or plan.mode.value == "reassert":
        return ""
    if plan.mode.value == "everybody":
        return f"{plan.replicas:,} other lines of history must begin again from this one"
    return f"what {plan.replicas:,} other lines of history know comes back when they are met"


def report_of(report: RestoreReport, json: bool) -> None:
    if json:
        show.emit_model(report)
        return
    where = "in the old store" if report.kept else "not kept"
    show.facts(
        (
            ("restored", report.store),
            ("from", report.manifest),
            ("records", f"{report.rows:,}"),
            ("written", f"{report.written:,}"),
            ("unchanged", f"{report.unchanged:,}" if report.unchanged else ""),
            ("stay erased", f"{report.erased:,}" if report.erased else ""),
            ("not exact", f"{report.uncertain:,} records" if report.uncertain else ""),
            ("changes since", f"{report.lost_changes:,}, {where}" if report.lost_changes else ""),
            ("old store", report.kept or ""),
            ("kept until", show.moment(report.kept_until)),
            ("took", f"{report.seconds:.1f} s"),
        )
    )  # fmt: skip
    for text in report.notes:
        show.note(show.clean(text))
