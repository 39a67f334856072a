"""What an operator does at the browser: open a form, fill it in, start the run, read its pages."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlparse

from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import PATIENCE_MS, Served

AGAIN_MS = 20_000

OPTIONAL = " (Optional)"
"""What the UI adds to the label of a field that has a default: each of ours."""


def open_form(page: Page, served: Served, name: str) -> None:
    """From the list of deployments, searched by name, to the form, as an operator goes."""
    page.goto(f"{served.url}/v2/deployments?flowOrDeploymentName={name}")
    page.get_by_role("link", name=name, exact=True).first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Custom run").click()
    await_form(page)


def await_form(page: Page, *, asks: bool = True) -> None:
    """Until the fields have their defaults, where the form asks for a store."""
    expect(page.get_by_text("Enforce Parameter Schema")).to_be_visible(timeout=PATIENCE_MS)
    if asks:
        expect(field(page, "Store")).to_have_value("default", timeout=PATIENCE_MS)


def field(page: Page, label: str) -> Locator:
    """The control below a label."""
    return page.get_by_label(f"{label}{OPTIONAL}", exact=True)


def choice(page: Page, label: str) -> Locator:
    """The button that opens a list: the UI puts no label on it, only above it."""
    named = page.get_by_text(f"{label}{OPTIONAL}", exact=True)
    return page.locator("div.group").filter(has=named).locator("fieldset button").first


def choose(page: Page, label: str, option: str) -> None:
    choice(page, label).click()
    page.get_by_role("option", name=option, exact=True).click()


def submit(page: Page, served: Served, deployment: str) -> str:
    """Press the button, and go to the run; its id. The notice with the link to it is gone in
    seconds, which on a busy machine may be before anybody has seen it."""
    before = {run["id"] for run in runs(served, deployment)}
    page.get_by_role("button", name="Submit").click()
    began = again = time.monotonic()
    while not (new := {run["id"] for run in runs(served, deployment)} - before):
        now = time.monotonic()
        assert now < began + PATIENCE_MS / 1_000, "nothing was started"
        if now > again + AGAIN_MS / 1_000 and urlparse(page.url).path.endswith("/run"):
            page.get_by_role("button", name="Submit").click()  # the form was not ready yet
            again = now
        page.wait_for_timeout(200)
    run = str(new.pop())
    page.goto(f"{served.url}/v2/runs/flow-run/{run}")
    return run


def await_state(page: Page, name: str) -> None:
    expect(page.get_by_text(name, exact=True).first).to_be_visible(timeout=PATIENCE_MS)


def open_details(page: Page) -> None:
    """Where the page of a run has the message of its state."""
    page.get_by_role("tab", name="Details").click()


def open_artifact(page: Page, key: str) -> None:
    """From the page of a run to one of its artifacts, named by the beginning of its key."""
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text(key).first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()


def resume(page: Page) -> None:
    """Open the form that a paused run waits for."""
    page.locator("button[aria-haspopup=menu]").last.click()
    page.get_by_role("menuitem", name="Resume").click()


def agree(page: Page, note: str = "") -> None:
    """Tick the yes and send the form."""
    page.get_by_role("switch").first.click()
    if note:
        page.get_by_role("dialog").locator("textarea").last.fill(note)
    dialog = page.get_by_role("dialog")
    for _ in range(PATIENCE_MS // AGAIN_MS):
        dialog.get_by_role("button", name=re.compile("Submit|Resume")).click()
        try:
            return expect(dialog).to_be_hidden(timeout=AGAIN_MS)
        except AssertionError:
            continue  # a press before the form is ready does nothing, and says nothing
    raise AssertionError("the form was not sent")


def runs(served: Served, deployment: str) -> list[dict[str, Any]]:
    """Runs that somebody started, newest first."""
    only = {"id": {"any_": [served.deployments()[deployment]]}}
    rows = served.ask("/flow_runs/filter", {"deployments": only, "sort": "START_TIME_DESC"})
    return [row for row in rows if not row["auto_scheduled"]]
