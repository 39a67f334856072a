"""An operator at the browser: run from the form, read what a run leaves, approve, be refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from memtend.limits import SWEEP_ROWS_FREE
from memtend.limits_upkeep import PRUNE_ROWS_FREE
from memtend.memory import Memory
from memtend.services import open_services
from memtend_tasks.address import to_address
from memtend_tasks.chart import WIDTH
from tests.flows.scratch import DEAD, LIVE, fill, records, repeat
from tests.flows.seen import eventually
from tests.ui.camera import Snap
from tests.ui.conftest import PATIENCE_MS, REPORTS, Served
from tests.ui.steps import (
    agree,
    await_state,
    choose,
    field,
    open_artifact,
    open_details,
    open_form,
    resume,
    runs,
    submit,
)


def test_a_backup_from_the_form_leaves_a_page_with_its_growth(
    page: Page, served: Served, snap: Snap
) -> None:
    """The browser shows the picture in the page, not a broken link."""
    page.goto(f"{served.url}/v2/deployments")
    expect(page.get_by_role("link", name="backup", exact=True).first).to_be_visible()
    snap("deployments", kept=True)
    open_form(page, served, "backup")
    field(page, "Note").fill("before the release")
    snap("backup-form")
    submit(page, served, "backup")
    await_state(page, "Completed")
    page.get_by_role("tab", name="Artifacts").click()
    expect(page.get_by_text("backup-report").first).to_be_visible()
    snap("backup-run", kept=True)
    open_artifact(page, "backup-report")
    chart = page.get_by_role("img", name=re.compile("Growth of the backups"))
    expect(chart).to_be_visible(timeout=PATIENCE_MS)
    assert chart.evaluate("image => image.naturalWidth") == WIDTH
    expect(page.get_by_text("before the release").first).to_be_visible()
    snap("backup-report", kept=True)


def test_a_prune_is_previewed_approved_and_told(page: Page, served: Served, snap: Snap) -> None:
    """On another store than the default: its path is typed into the form."""
    store = str(Path(served.place.store).with_name("notes.db"))
    before = repeat(store, 3 * PRUNE_ROWS_FREE)
    open_form(page, served, "prune")
    field(page, "Store").fill(store)
    submit(page, served, "prune")
    await_state(page, "Completed")
    open_artifact(page, "prune-plan")
    expect(page.get_by_text("Prunes 29 of 70 records").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("Reviewed plan:").first).to_be_visible()
    snap("prune-plan", kept=True)
    assert records(store) == before

    open_form(page, served, "prune")
    field(page, "Store").fill(store)
    choose(page, "Strategy", "redundancy")
    field(page, "Dry run").click()
    run = submit(page, served, "prune")
    await_state(page, "Paused")
    snap("prune-paused")
    resume(page)
    expect(page.get_by_text("That is more than goes in a day").first).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(page.get_by_role("cell", name="notes/old").first).to_be_visible()
    snap("prune-approval", kept=True)
    agree(page, "ticket 12")
    await_state(page, "Completed")
    assert records(store) == before - 29
    open_artifact(page, "prune-decisions")
    expect(page.get_by_text("redundancy").first).to_be_visible(timeout=PATIENCE_MS)
    snap("prune-decisions")
    page.goto(f"{served.url}/v2/runs/flow-run/{run}")
    open_artifact(page, "prune-report")
    expect(page.get_by_text("Approved: ticket 12").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("memtend undo").first).to_be_visible()
    snap("prune-report", kept=True)


@pytest.fixture
def undisturbed(served: Served) -> Iterator[None]:
    """No sweep that is due comes before the one that a test looks at."""
    sweep = served.deployments()["sweep"]
    only = {"deployments": {"id": {"any_": [sweep]}}}
    at_work = only | {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING"]}}}}
    served.ask(f"/deployments/{sweep}/pause_deployment", {})
    assert eventually(lambda: not served.ask("/flow_runs/filter", at_work))
    yield
    served.ask(f"/deployments/{sweep}/resume_deployment", {})


def test_a_cycle_leaves_its_progress_a_table_and_a_link(
    page: Page, served: Served, snap: Snap, undisturbed: None
) -> None:
    fill(served.place.store)  # again, should a sweep have been due meanwhile
    open_form(page, served, "tend")
    field(page, "Dry run").click()
    run = submit(page, served, "tend")
    await_state(page, "Completed")
    snap("tend-run", kept=True)
    open_artifact(page, "tend-report")
    told = f"{DEAD} records had outlived their TTL"
    expect(page.get_by_text(told).first).to_be_visible(timeout=PATIENCE_MS)
    snap("tend-report", whole=True)
    page.goto(f"{served.url}/v2/runs/flow-run/{run}")
    open_artifact(page, "tend-progress")
    expect(page.get_by_text("100").first).to_be_visible(timeout=PATIENCE_MS)
    snap("tend-progress")
    label = to_address(served.place.store).label
    assert f"]({REPORTS}/{label}.html)" in pages(served, f"report-link-{label}")[0]["data"]
    assert records(served.place.store) == LIVE
    assert runs(served, "tend")[0]["parameters"]["dry_run"] is False


def test_a_sweep_of_too_much_is_refused_and_says_so(
    page: Page, served: Served, snap: Snap, tmp_path: Path
) -> None:
    """The message and what to do next are on the page of the run; nothing is gone."""
    store = str(tmp_path / "short.db")
    fill(store, dead=SWEEP_ROWS_FREE + 1)
    open_form(page, served, "sweep")
    field(page, "Store").fill(store)
    field(page, "Dry run").click()
    submit(page, served, "sweep")
    await_state(page, "Refused")
    open_details(page)
    said = page.get_by_text("sweep would delete 96% of 1041 records; the limit is 25%").first
    expect(said).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("HINT: Read the plan").first).to_be_visible()
    said.scroll_into_view_if_needed()
    snap("refused", kept=True)
    assert records(store) == LIVE + SWEEP_ROWS_FREE + 1


def test_a_plan_of_another_store_is_refused(
    page: Page, served: Served, snap: Snap, tmp_path: Path
) -> None:
    """The digest of a plan that was read stands for that plan on that store, and nothing else."""
    store, other = str(tmp_path / "notes.db"), str(tmp_path / "other.db")
    before = repeat(store, PRUNE_ROWS_FREE)
    repeat(other, PRUNE_ROWS_FREE, seed=1)
    open_form(page, served, "prune")
    field(page, "Store").fill(other)
    submit(page, served, "prune")
    await_state(page, "Completed")
    [plan] = pages(served, f"prune-plan-{to_address(other).label}")
    open_form(page, served, "prune")
    field(page, "Store").fill(store)
    field(page, "Reviewed plan").fill(plan["description"])
    field(page, "Dry run").click()
    submit(page, served, "prune")
    await_state(page, "Refused")
    open_details(page)
    expect(page.get_by_text("HINT: Plan again").first).to_be_visible(timeout=PATIENCE_MS)
    snap("stale")
    assert records(store) == before


def test_a_restore_from_the_form_waits_for_a_yes(page: Page, served: Served, snap: Snap) -> None:
    """Back up, lose a record, ask for a restore, read its plan, approve it, and have it back."""
    with open_services(served.place.store) as services:
        services.take_backup(served.place.target)
        services.memory.delete("task/alive", "k1")
    open_form(page, served, "restore")
    field(page, "Dry run").click()
    submit(page, served, "restore")
    await_state(page, "Paused")
    resume(page)
    expect(page.get_by_text("1 are added").first).to_be_visible(timeout=PATIENCE_MS)
    snap("restore-approval")
    plan = page.get_by_role("link", name="Read the whole plan").get_attribute("href")
    agree(page)
    await_state(page, "Completed")
    page.goto(f"{served.url}{plan}")
    expect(page.get_by_text("Reviewed plan:").first).to_be_visible(timeout=PATIENCE_MS)
    snap("restore-plan", whole=True)
    with Memory.open(served.place.store) as memory:
        assert memory.get("task/alive", "k1") == {"n": 1}


def pages(served: Served, key: str) -> list[dict[str, Any]]:
    """The artifacts of a key."""
    return list(served.ask("/artifacts/filter", {"artifacts": {"key": {"any_": [key]}}}))
