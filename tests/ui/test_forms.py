"""Every deployment's form in the browser: labels, help, defaults, and what it does not accept."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.camera import Snap
from tests.ui.conftest import PATIENCE_MS, Served
from tests.ui.steps import OPTIONAL, await_form, choice, field, open_form, runs

CANARY = "c4n4ry-pa55w0rd"
PICTURED = "prune"
BAD = (
    ("health", "Store", f"postgresql://ada:{CANARY}@db/memory", "does not match"),
    ("prune", "Reviewed plan", "the one of yesterday", "does not match"),
    ("verify_backups", "Max minutes", "9999", "must be less than or equal to 1440"),
)


def test_every_form_explains_itself(page: Page, served: Served, snap: Snap) -> None:
    """Each field is there, in its order, with label, help and default; what deletes previews."""
    for name, number in sorted(served.deployments().items()):
        found = served.read(f"/deployments/{number}")["parameter_openapi_schema"]
        page.goto(f"{served.url}/v2/deployments/deployment/{number}/run")
        await_form(page, asks="store" in found["properties"])
        shown = page.locator("label").all_inner_texts()
        at = -1
        for one in sorted(found["properties"].values(), key=lambda one: one["position"]):
            looked = resolved(found, one)
            at = shown.index(looked["title"] + OPTIONAL, at + 1)
            told = " ".join(looked["description"].split())
            expect(page.get_by_text(told, exact=True).first).to_be_visible()
            see_default(page, looked)
        snap(name, whole=True, kept=name == PICTURED)


def resolved(schema: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """As the UI puts a field together: what stands beside a reference overrules its target."""
    target = schema["definitions"][one["$ref"].rpartition("/")[2]] if "$ref" in one else {}
    return {**target, **one}


def see_default(page: Page, one: dict[str, Any]) -> None:
    """Lists and choices between nothing and something have no control that the label names."""
    control, default = field(page, one["title"]), one.get("default")
    if one["title"].endswith("ry run"):
        assert default is True
    if one.get("type") == "boolean":
        expect(control).to_have_attribute("aria-checked", str(default).lower())
    elif "enum" in one:
        expect(choice(page, one["title"])).to_contain_text(str(default))
    elif one.get("type") in {"string", "integer", "number"}:
        expect(control).to_have_value(str(default))


@pytest.mark.parametrize(("deployment", "label", "text", "said"), BAD)
def test_a_bad_value_is_refused_in_the_form(
    page: Page, served: Served, snap: Snap, deployment: str, label: str, text: str, said: str
) -> None:
    """The server checks the form before it stores a run: nothing of a password is kept."""
    before = runs(served, deployment)
    open_form(page, served, deployment)
    field(page, label).fill(text)
    page.get_by_role("button", name="Submit").click()
    bubble = field(page, label).evaluate("field => field.validationMessage")
    if said not in bubble:  # a browser says by itself what is wrong with a number
        expect(page.get_by_text(said).first).to_be_visible(timeout=PATIENCE_MS)
    snap(f"refused-{deployment}")
    assert runs(served, deployment) == before
    assert CANARY not in str(served.ask("/flow_runs/filter", {}))
