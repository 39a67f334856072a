"""An operator at the browser: open the deployment, fill the form, run it, read the report."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from memtend.memory import Memory
from memtend.services import open_services
from memtend_flows.schedules import SERVED
from memtend_tasks.chart import WIDTH
from tests.flows.scratch import DEAD, LIVE
from tests.ui.conftest import Served

PATIENCE_MS = 60_000
CANARY = "c4n4ry-pa55w0rd"
FORMS = {
    "ingest": ("Source", "Kind", "Time zone", "Allow pickle", "Reviewed plan", "Dry run"),
    "migrate": ("Target", "To", "Reviewed plan", "Dry run"),
    "export": ("Destination", "Format", "Pattern", "Agent"),
    "prune": ("Archive target", "Strategy", "Profile", "Ask before much goes", "Dry run"),
    "optimize": ("Step", "Reviewed plan", "Dry run"),
    "learn": ("Scenario", "Promote", "Tune times to live", "Seed", "Dry run"),
}


def open_form(page: Page, served: Served, name: str) -> None:
    """From the list of deployments, searched by name, to the form, as an operator goes."""
    page.goto(f"{served.url}/v2/deployments?flowOrDeploymentName={name}")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Custom run").click()
    expect(page.get_by_text("Enforce Parameter Schema")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("textarea").first).to_have_value("default")


def submit(page: Page, served: Served, deployment: str) -> None:
    """Press the button, and go to the run. The notice with the link to it is gone in seconds, which
    on a busy machine may be before anybody has seen it."""
    before = {run["id"] for run in runs(served, deployment)}
    page.get_by_role("button", name="Submit").click()
    end = time.monotonic() + PATIENCE_MS / 1_000
    while not (new := {run["id"] for run in runs(served, deployment)} - before):
        assert time.monotonic() < end, "nothing was started"
        page.wait_for_timeout(200)
    page.goto(f"{served.url}/v2/runs/flow-run/{new.pop()}")


def test_a_cycle_started_from_the_form_completes(
    page: Page, served: Served, tmp_path: Path
) -> None:
    open_form(page, served, "tend")
    page.get_by_role("switch").first.click()
    page.screenshot(path=tmp_path / "1-form.png")
    submit(page, served, "tend")
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    page.screenshot(path=tmp_path / "2-run.png")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("tend-report").first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    expect(page.get_by_text(f"{DEAD} records had outlived their TTL").first).to_be_visible(
        timeout=PATIENCE_MS
    )
    page.screenshot(path=tmp_path / "3-report.png", full_page=True)
    with Memory.open(served.place.store) as memory:
        assert memory.stats().records == LIVE
    assert runs(served, "tend")[0]["parameters"]["dry_run"] is False


def test_a_restore_from_the_form_waits_for_a_yes(
    page: Page, served: Served, tmp_path: Path
) -> None:
    """Back up, lose a record, ask for a restore, read its plan, approve it, and have it back."""
    with open_services(served.place.store) as services:
        services.take_backup(served.place.target)
        services.memory.delete("task/alive", "k1")
    open_form(page, served, "restore")
    page.get_by_role("switch").first.click()
    page.screenshot(path=tmp_path / "1-form.png", full_page=True)
    submit(page, served, "restore")
    expect(page.get_by_text("Paused", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    page.locator("button[aria-haspopup=menu]").last.click()
    page.get_by_role("menuitem", name="Resume").click()
    expect(page.get_by_text("1 are added").first).to_be_visible(timeout=PATIENCE_MS)
    page.screenshot(path=tmp_path / "2-approval.png")
    plan = page.get_by_role("link", name="Read the whole plan").get_attribute("href")
    page.get_by_role("switch").first.click()
    page.get_by_role("button", name=re.compile("Submit|Resume")).last.click()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    page.goto(f"{served.url}{plan}")
    expect(page.get_by_text("Reviewed plan:").first).to_be_visible(timeout=PATIENCE_MS)
    page.screenshot(path=tmp_path / "3-plan.png", full_page=True)
    with Memory.open(served.place.store) as memory:
        assert memory.get("task/alive", "k1") == {"n": 1}


def test_the_forms_ask_what_there_is_to_decide(page: Page, served: Served, tmp_path: Path) -> None:
    """Import, migration, export, prune, learning: every field is there, with its choices."""
    for name, labels in FORMS.items():
        open_form(page, served, name)
        for label in labels:
            expect(page.get_by_text(label, exact=False).first).to_be_visible(timeout=PATIENCE_MS)
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)


def test_the_growth_of_the_backups_is_drawn(page: Page, served: Served, tmp_path: Path) -> None:
    """The browser shows the picture in the page, not a broken link."""
    run = served.start("backup", {"why": "picture"})
    page.goto(f"{served.url}/v2/runs/flow-run/{run}")
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("backup-report").first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    chart = page.get_by_role("img", name=re.compile("Growth of the backups"))
    expect(chart).to_be_visible(timeout=PATIENCE_MS)
    assert chart.evaluate("image => image.naturalWidth") == WIDTH
    page.screenshot(path=tmp_path / "growth.png", full_page=True)


def test_a_password_in_the_form_is_refused(page: Page, served: Served, tmp_path: Path) -> None:
    """The server checks the form before it stores a run."""
    open_form(page, served, "health")
    page.locator("textarea").first.fill(f"postgresql://ada:{CANARY}@db/memory")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("does not match").first).to_be_visible(timeout=PATIENCE_MS)
    page.screenshot(path=tmp_path / "refused.png")
    assert CANARY not in str(served.ask("/flow_runs/filter", {}))


def test_what_is_due_is_scheduled(served: Served) -> None:
    """Every flow with a schedule that is not paused has runs ahead."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    wanted = {one.flow.name for one in SERVED if one.active}
    while not (found := scheduled(served)) >= wanted and time.monotonic() < deadline:
        time.sleep(1)
    assert found == wanted


def runs(served: Served, deployment: str) -> list[dict[str, Any]]:
    """Runs that somebody started, newest first."""
    only = {"id": {"any_": [served.deployments()[deployment]]}}
    rows = served.ask("/flow_runs/filter", {"deployments": only, "sort": "START_TIME_DESC"})
    return [row for row in rows if not row["auto_scheduled"]]


def scheduled(served: Served) -> set[str]:
    """The deployments that have runs ahead of them."""
    names = {number: name for name, number in served.deployments().items()}
    only = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    rows = served.ask("/flow_runs/filter", only)
    return {names[row["deployment_id"]] for row in rows if row["auto_scheduled"]}
