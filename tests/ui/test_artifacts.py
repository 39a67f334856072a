"""Memory says hostile things, and Prefect shows pages of them: nothing runs and nothing is fetched.

Both of Prefect's UIs show the pages, tables and headlines that flows make; each value stands
wherever a name or a reason of memory can stand. A page without our escaping is the control.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Dialog, Page, Request, expect

from memtend.health.report import Check, HealthReport, Level, Opportunity
from memtend.learn.card import code as card_code
from memtend.learn.card import prose as card_prose
from memtend.model.plan import Action
from memtend.model.trial import TrialLook, TrialState, TtlTrial
from memtend.prune.plan import PruneDecision, PrunePlan
from memtend_tasks.escaping import Markdown, inert, paragraphs
from memtend_tasks.healthpage import health_lines
from memtend_tasks.learn import ScenarioLearned
from memtend_tasks.learnpage import learn_lines, trial_lines
from memtend_tasks.planpage import decisions, details, headline
from tests.fixtures.markup import BEACON, HOSTILE
from tests.ui.conftest import Served

PATIENCE_MS = 60_000
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
UIS = ("/v2/artifacts/artifact/", "/artifacts/artifact/")
END = "the end of the page"


def test_hostile_memory_runs_nothing_in_a_page(page: Page, served: Served, tmp_path: Path) -> None:
    shown = [*plan_lines(), *health_lines(hostile_health()), *lesson_lines(), *HOSTILE, END]
    seen = listen(page)
    number = keep(served, "markdown", paragraphs(shown), HOSTILE[3])
    for ui in UIS:
        page.goto(f"{served.url}{ui}{number}")
        expect(page.get_by_text(END).last).to_be_visible(timeout=PATIENCE_MS)
        for text in HOSTILE[:12]:
            expect(page.get_by_text(text, exact=True).first).to_be_attached()
        page.screenshot(path=tmp_path / f"page{UIS.index(ui)}.png", full_page=True)
    assert seen == []


def test_hostile_memory_runs_nothing_in_a_table(page: Page, served: Served, tmp_path: Path) -> None:
    """Ten rows are shown at once, so that each has five of the values."""
    columns = ("namespace", "key", "reason", "rule", "agent")
    texts = iter(HOSTILE)
    rows = [
        dict(zip(columns, map(inert, row), strict=True)) for row in zip(*[texts] * 5, strict=True)
    ]
    assert set(columns) < set(decisions(hostile_plan())[0])
    seen = listen(page)
    number = keep(served, "table", json.dumps(rows))
    for ui in UIS:
        page.goto(f"{served.url}{ui}{number}")
        expect(page.get_by_text("alert(48)").first).to_be_visible(timeout=PATIENCE_MS)
        page.screenshot(path=tmp_path / f"table{UIS.index(ui)}.png", full_page=True)
    assert seen == []


def test_without_our_escaping_something_would_be_fetched(page: Page, served: Served) -> None:
    """So that the tests above would notice."""
    seen = listen(page)
    number = keep(served, "markdown", "\n\n".join([*HOSTILE, END]))
    with page.expect_request(re.compile(BEACON), timeout=PATIENCE_MS):
        page.goto(f"{served.url}{UIS[0]}{number}")
    assert seen


def listen(page: Page) -> list[str]:
    """What runs or is fetched from now on."""
    seen: list[str] = []

    def hear(dialog: Dialog) -> None:
        seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def look(request: Request) -> None:
        if BEACON in request.url:
            seen.append(f"fetched {request.url}")

    page.on("dialog", hear)
    page.on("request", look)
    return seen


def keep(served: Served, kind: str, data: str, description: str = "") -> str:
    """An artifact of the server; its id."""
    body = {"key": f"hostile-{kind}", "type": kind, "data": data, "description": description}
    return str(served.ask("/artifacts/", body)["id"])


def plan_lines() -> list[str]:
    plan = hostile_plan()
    return [headline(plan), *details(plan)]


def lesson_lines() -> list[str]:
    """What was learned, with the sentences and names of a model's card."""
    learned = [
        ScenarioLearned(scenario=text, model=text, status=text, why=text, worth=text, drift=text,
                        insights=((text, text),))
        for text in HOSTILE
    ]  # fmt: skip
    trial = TtlTrial(
        id="1", pattern=HOSTILE[0], state=TrialState.CANARY, plan="p", ttl_before_ms=None, ttl_ms=1,
        share=0.1, began_at=NOON, until=NOON,
    )  # fmt: skip
    looks = [TrialLook(trial=trial, verdict=text, why=text) for text in HOSTILE]
    card = [Markdown(f"- {card_prose(text)} {card_code(text)}") for text in HOSTILE]
    return [*learn_lines(learned, HOSTILE), *trial_lines(looks), *card]


def hostile_plan() -> PrunePlan:
    """Wherever memory has a say in a plan. Stores refuse such names; nobody here relies on it."""
    chosen = tuple(
        PruneDecision(action=Action.DELETE, namespace=text, key=text, reason=text, rule=text,
                      strategy="time", agent=text)
        for text in HOSTILE
    )  # fmt: skip
    return PrunePlan(
        operation="prune", store_id="s", made_at=NOON, basis=1, total=99, decisions=chosen,
        profile=HOSTILE[4], shielded=dict.fromkeys(HOSTILE, 1), notes=HOSTILE,
    )  # fmt: skip


def hostile_health() -> HealthReport:
    checks = tuple(
        Check(name=text, level=Level.WARNING, fact=text, hint=text, penalty=1) for text in HOSTILE
    )
    chances = tuple(Opportunity(name=text, fact=text, command=text) for text in HOSTILE)
    return HealthReport(
        at=NOON, level=Level.WARNING, healthy=False, score=50, records=1, bytes=1, file_bytes=1,
        expired_waiting=0, checks=checks, opportunities=chances,
    )  # fmt: skip
