"""What pages are made of: charts, figures and plans in words. Nothing here needs a server."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.backup.restore_plan import Change, Mode, RestorePlan, Scope
from memtend.backup.rotation_plan import RotationDecision, RotationPlan
from memtend.model.plan import Action, Plan
from memtend.model.retention import Retention
from memtend_tasks.chart import HEIGHT, WIDTH, Point, draw, picture
from memtend_tasks.figures import to_span
from memtend_tasks.planpage import decisions, details, headline, touched

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
LEGEND = ("in all", "added", "full")
BYTES = st.floats(min_value=0, max_value=2.0**50)


@st.composite
def points(draw_from: st.DrawFn) -> list[Point]:
    hours = draw_from(st.lists(st.integers(0, 10_000), min_size=1, max_size=40))
    return [
        Point(NOON + timedelta(hours=hour), total, min(total, draw_from(BYTES)), big=hour % 7 == 0)
        for hour in sorted(hours)
        for total in [draw_from(BYTES)]
    ]


@given(points())
def test_every_point_is_drawn_inside_the_picture(shown: list[Point]) -> None:
    """Whatever the sizes and the times between: one bar each, nothing outside of the frame."""
    root = ElementTree.fromstring(draw(shown, "growth", LEGEND))
    line = root.find(f"{SVG}polyline")
    assert line is not None
    corners = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(corners) == len(shown)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners)


def test_a_picture_travels_in_the_page() -> None:
    """As an address that holds the whole image, with words for whoever does not see it."""
    shown = picture([Point(NOON, 2048, 2048)], "Growth <1>", LEGEND)
    alt, _, address = shown.partition("](")
    assert alt == "![Growth <1>"
    svg = b64decode(address.removeprefix("data:image/svg+xml;base64,").rstrip(")")).decode()
    assert "Growth &lt;1&gt;" in svg
    assert "2.0 KiB" in svg


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.2 s"), (75, "1 min 15 s"), (7_260, "2 h 1 min"), (180_000, "2 d 2 h")],
)
def test_a_time_span_has_two_units(seconds: float, text: str) -> None:
    assert to_span(seconds) == text


def test_a_rotation_says_why_each_backup_stays_or_goes() -> None:
    plan = RotationPlan(
        operation="rotate", store_id="s", made_at=NOON, basis=1, total=2, url="/b", repo_id="r",
        retention=Retention(), unreadable=("manifests/3",),
        decisions=(
            RotationDecision(
                action=Action.DELETE, namespace="manifests", key="1", reason="older than 30d",
                size_bytes=2048, number=1, kind="full", at=NOON,
            ),
            RotationDecision(
                action=Action.KEEP, namespace="manifests", key="2", reason="newest", number=2,
                kind="full", at=NOON,
            ),
        ),
    )  # fmt: skip
    page = "\n".join([headline(plan), *details(plan)])
    assert "Drops **1 of 2** backups, 2.0 KiB" in page
    assert "| 1 | full | 2026-11-03 12:00:00 UTC | drop | older than 30d |" in page
    assert "| keep | newest |" in page
    assert "1 manifests cannot be read" in page
    assert [row["what"] for row in decisions(plan)] == ["drop", "keep"]
    assert touched(plan) == 1


def test_a_restore_says_what_it_does_not_know() -> None:
    plan = RestorePlan(
        store_id="s", made_at=NOON, basis=1, total=5, url="/b", manifest="manifests/7", chain=(),
        why_this="it is the newest", at=NOON, to=NOON, exact=False, mode=Mode.REASSERT,
        scope=Scope(agent="ada"), rows=4, bytes=10, read_bytes=20, added=1, changed=2, removed=3,
        unchanged=1, uncertain=1, uncertain_names=("task/a",), erased=2, foreign=True,
        namespaces=(Change(namespace="task", added=1, changed=2, removed=3),),
    )  # fmt: skip
    page = "\n".join([headline(plan), *details(plan)])
    assert "| task | 1 | 2 | 3 |" in page
    assert "**1 records** changed again after that moment" in page
    assert "`task/a`" in page
    assert "| exact | not quite |" in page
    assert "| erased since, stays erased | 2 |" in page
    assert "| only | agent ada |" in page
    assert "of another store" in page
    assert touched(plan) == 6


def test_an_empty_plan_says_that_there_is_nothing_to_do() -> None:
    plan = Plan(operation="recall", store_id="s", made_at=NOON, basis=1, total=5)
    assert details(plan) == ["There is nothing to do."]
