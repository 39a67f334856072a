"""The file for work pools and the table that `memtend serve` serves say the same."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow

from memtend.migrate.detect import KINDS
from memtend.model.prunepolicy import STRATEGIES
from memtend.optimize.plan import StepName
from memtend_flows.deployment import Place, deployment
from memtend_flows.parameters import Kind, Step, Strategy
from memtend_flows.registering import ENVIRONMENT
from memtend_flows.schedules import SERVED, Served

FILE = Path(__file__).parents[2] / "deployments" / "prefect.yaml"
DEPLOYED: dict[str, Any] = {
    entry["name"]: entry for entry in yaml.safe_load(FILE.read_text())["deployments"]
}


def test_the_same_flows_are_deployed_and_served() -> None:
    assert list(DEPLOYED) == [served.flow.name for served in SERVED]


@pytest.mark.parametrize("served", SERVED, ids=lambda served: served.flow.name)
def test_both_run_the_same_thing_at_the_same_time(served: Served) -> None:
    """Entry point, schedule, its parameters, tags and the limit of one agree."""
    ours, theirs = deployment(served), DEPLOYED[served.flow.name]
    limit = ours.concurrency_options
    assert ours.entrypoint == theirs["entrypoint"]
    assert sorted(ours.tags) == sorted(theirs["tags"])
    assert ours.concurrency_limit == theirs["concurrency_limit"]["limit"]
    assert limit
    assert limit.collision_strategy.value == theirs["concurrency_limit"]["collision_strategy"]
    assert [_as_file(schedule) for schedule in ours.schedules or ()] == theirs.get("schedules", [])
    assert theirs["work_pool"]["job_variables"] == ENVIRONMENT


@pytest.mark.parametrize("entry", DEPLOYED.values(), ids=lambda entry: entry["name"])
def test_an_entry_point_is_a_module_path(entry: dict[str, Any]) -> None:
    """A worker in another folder finds the flow; by file it would not."""
    module, _, name = entry["entrypoint"].rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), name), Flow)


@pytest.mark.parametrize("served", SERVED, ids=lambda served: served.flow.name)
def test_a_form_explains_itself(served: Served) -> None:
    """Each field has a description and a default, and what deletes previews by default."""
    fields = served.flow.parameters.properties
    assert all(field.get("description") and "default" in field for field in fields.values())
    assert fields.get("dry_run", {"default": True})["default"] is True
    assert served.tag != "deletes" or "dry_run" in fields


def test_older_memory_is_read_on_a_schedule_where_an_operator_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [ingest] = [served for served in SERVED if served.flow.name == "ingest"]
    assert [schedule.active for schedule in deployment(ingest).schedules or ()] == [False]
    monkeypatch.setenv("MEMTEND_IMPORT_SOURCE", "/srv/old")
    assert [schedule.active for schedule in deployment(ingest).schedules or ()] == [True]


def test_nothing_but_the_whole_cycle_waits_to_be_resumed() -> None:
    assert [one.flow.name for one in SERVED if one.when and not one.active] == ["ingest", "tend"]


def test_each_store_has_deployments_of_its_own() -> None:
    """Named, tagged and with its addresses, as far as their forms have them; some minutes later."""
    prod = Place("prod", "prod")
    made = {one.flow.name: deployment(one, prod) for one in SERVED}
    assert made["sweep"].name == "sweep-prod"
    assert made["sweep"].parameters == {"store": "prod"}
    assert made["backup"].parameters == {"store": "prod", "target": "prod"}
    assert "store:prod" in made["sweep"].tags
    assert made["reclaim"].name == "reclaim"
    assert made["reclaim"].parameters == {}
    crons = [_as_file(one)["cron"] for one in made["backup"].schedules or ()]
    assert crons == [f"{prod.minutes} 2 * * *", f"{prod.minutes} 0-1,3-23 * * *"]


def test_every_kind_of_older_memory_is_in_the_form() -> None:
    assert [kind.value for kind in Kind] == ["detect", *KINDS]


def test_every_strategy_and_every_step_is_in_the_form() -> None:
    assert [one.value for one in Strategy] == ["all", *STRATEGIES]
    assert {one.value for one in Step} == {"routine", *StepName}


def test_operators_are_told_what_each_flow_may_destroy() -> None:
    """The table of deployments/README.md has a row for each, in the order of the schedules."""
    told = re.findall(r"^\| `(\w+)` \|", FILE.with_name("README.md").read_text(), re.MULTILINE)
    assert told[: len(SERVED)] == [served.flow.name for served in SERVED]


def _as_file(schedule: Any) -> dict[str, Any]:
    said = {
        "cron": schedule.schedule.cron,
        "timezone": schedule.schedule.timezone,
        "slug": schedule.slug,
    }
    said |= {} if schedule.active else {"active": False}
    return said | ({"parameters": schedule.parameters} if schedule.parameters else {})
