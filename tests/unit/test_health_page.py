"""The page of a store's health: the worst first, the price of each trouble, figures with units."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memtend.alerting.report import AlertReport, Delivery
from memtend.health.report import Check, HealthReport, Level, Opportunity
from memtend.metrics.figure import Figure
from memtend.model.alert import Alert, AlertLevel, AlertState
from memtend_tasks.healthpage import alert_lines, alert_rows, health_lines, opportunity_rows
from memtend_tasks.keyfigures import figure_text, key_figures

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def judged(*checks: Check, score: int, chances: tuple[Opportunity, ...] = ()) -> HealthReport:
    return HealthReport(
        at=NOON, level=Level.OK, healthy=not checks, score=score, records=7, bytes=1, file_bytes=1,
        expired_waiting=0, checks=checks, opportunities=chances,
    )  # fmt: skip


def test_the_worst_comes_first_with_what_it_costs() -> None:
    fine = Check(name="disk", level=Level.OK, fact="there is room")
    bad = Check(
        name="backup", level=Level.CRITICAL, fact="there is none", hint="Run `memtend init`.",
        penalty=30,
    )  # fmt: skip
    saving = Opportunity(
        name="archive", fact="100 are cold", saves_bytes=2048, command="memtend archive run"
    )
    page = "\n".join(health_lines(judged(fine, bad, score=70, chances=(saving,))))
    assert "**Score 70 of 100.** Taken off: backup -30." in page
    row = "| ✗ CRITICAL | backup | there is none | Run `memtend init`. | -30 |"
    assert page.index(row) < page.index("| ✓ ok | disk |")
    assert "| archive | 2.0 KiB | 100 are cold | `memtend archive run` |" in page
    assert opportunity_rows([saving])[0]["saves"] == "2.0 KiB"


def test_a_store_without_trouble_says_so() -> None:
    page = "\n".join(health_lines(judged(score=100)))
    assert "Nothing takes off the score." in page
    assert "could be saved" not in page
    assert "None stands. None has changed." in alert_lines(AlertReport(at=NOON))
    missed = Delivery(channel="mail #1", alerts=1, why="it does not answer")
    over = alert_lines(AlertReport(at=NOON, untold=(missed,)))
    assert over[-1] == "Nobody could be told by mail #1: it does not answer"


def test_alerts_say_what_stands_and_who_could_not_be_told() -> None:
    one = Alert(
        id="a1", rule="agent.memory", scope="agent ada", level=AlertLevel.ERROR,
        state=AlertState.OPEN, fact="81 MiB", hint="Run `memtend prune`.", first_at=NOON,
        opened_at=NOON, last_at=NOON, silenced=True,
    )  # fmt: skip
    missed = Delivery(channel="mail", alerts=1, why="it does not answer")
    page = "\n".join(
        alert_lines(AlertReport(at=NOON, opened=(one,), untold=(missed,), standing=(one,)))
    )
    assert "**1 stand.** 1 opened by this check." in page
    assert "| error | agent.memory | agent ada | open, silenced |" in page
    assert "Nobody could be told by mail: it does not answer" in page
    assert alert_rows([one])[0]["what to do"] == "Run `memtend prune`."


def test_key_figures_have_an_order_and_show_one_quantile() -> None:
    found = [
        Figure("memtend_latency_ms", (("op", "get"), ("tier", "hot"), ("quantile", "0.5")), 0.1),
        Figure("memtend_latency_ms", (("op", "get"), ("tier", "hot"), ("quantile", "0.95")), 0.4),
        Figure("memtend_records", (), 1200.0),
        Figure("memtend_wal_bytes", (), 1.0),
    ]
    assert key_figures(found) == [
        ("records", "1,200"),
        ("95 of 100 are faster than this: get hot", "0.40 ms"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("memtend_file_bytes", 2048.0, "2.0 KiB"),
        ("memtend_drill_age_s", 90.0, "1 min 30 s"),
        ("memtend_regret_share", 0.125, "12.5%"),
        ("memtend_pruned_total", 1200.0, "1,200"),
        ("memtend_compression_ratio", 2.5, "2.5 to 1"),
    ],
)
def test_a_figure_has_the_unit_of_its_name(name: str, value: float, text: str) -> None:
    assert figure_text(name, value) == text
