"""The health of a store as people read it: what takes off the score, what could be saved. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from memtend.alerting.report import AlertReport
from memtend.health.report import Check, HealthReport, Level, Opportunity
from memtend.model.alert import Alert
from memtend_tasks.escaping import Markdown, code, prose
from memtend_tasks.figures import size, table, to_text

_SIGNS = {Level.OK: "✓ ok", Level.WARNING: "! warning", Level.CRITICAL: "✗ CRITICAL"}
_ALERTS_SHOWN = 50


def health_lines(report: HealthReport) -> list[str]:
    """The score, every check with what it takes off, and what could be saved."""
    lost = [check for check in report.checks if check.penalty]
    whole = "Nothing takes off the score."
    taken = ", ".join(f"{check.name} -{check.penalty}" for check in lost)
    return [
        f"**Score {report.score} of 100.** " + (f"Taken off: {taken}." if lost else whole),
        _checks(report.checks),
        *_opportunities(report.opportunities),
    ]


def alert_lines(report: AlertReport) -> list[str]:
    """What stands, and what has changed by this check."""
    changes = [
        f"{len(found):,} {what}"
        for what, found in (("opened", report.opened), ("raised", report.raised),
                            ("lowered", report.lowered), ("resolved", report.resolved))
        if found
    ]  # fmt: skip
    news = f"{', '.join(changes)} by this check." if changes else "None has changed."
    lines: list[str] = [Markdown("## Alerts")]
    if report.standing:
        lines += [f"**{len(report.standing):,} stand.** {news}", _alerts(report.standing)]
    else:
        lines.append(f"None stands. {news}")
    lines += [f"Nobody could be told by {one.channel}: {one.why}" for one in report.untold]
    return lines


def opportunity_rows(found: Iterable[Opportunity]) -> list[dict[str, str]]:
    """For a table of their own."""
    return [
        {"opportunity": one.name, "saves": _saves(one), "fact": one.fact,
         "command": one.command}
        for one in found
    ]  # fmt: skip


def alert_rows(standing: Iterable[Alert]) -> list[dict[str, str]]:
    """For a table of their own."""
    names = ("level", "rule", "about", "state", "since", "fact", "what to do")
    return [dict(zip(names, _alert(one), strict=True)) for one in standing]


def _checks(checks: Iterable[Check]) -> Markdown:
    worst_first = sorted(checks, key=lambda check: -check.penalty)
    rows = [
        (_SIGNS[one.level], one.name, one.fact, Markdown(prose(one.hint)),
         f"-{one.penalty}" if one.penalty else "")
        for one in worst_first
    ]  # fmt: skip
    return table(("", "check", "fact", "what to do", "score"), rows)


def _opportunities(found: Iterable[Opportunity]) -> list[str]:
    rows = [(one.name, _saves(one), one.fact, code(one.command)) for one in found]
    if not rows:
        return []
    head = ("opportunity", "would save", "fact", "command")
    return [Markdown("## What could be saved"), table(head, rows)]


def _saves(one: Opportunity) -> str:
    parts = [] if one.saves_bytes is None else [size(one.saves_bytes)]
    parts += [] if one.saves_ms is None else [f"{one.saves_ms / 1_000:,.1f} s a day"]
    return ", ".join(parts) or "unknown"


def _alerts(standing: Iterable[Alert]) -> Markdown:
    rows = [
        (*_alert(one)[:-1], Markdown(prose(one.hint))) for one in list(standing)[:_ALERTS_SHOWN]
    ]
    return table(("level", "rule", "about", "state", "since", "fact", "what to do"), rows)


def _alert(one: Alert) -> tuple[str, ...]:
    state = f"{one.state}, silenced" if one.silenced else str(one.state)
    since = to_text("at", one.opened_at)
    return (one.level, one.rule, one.scope, state, since, one.fact, one.hint)
