"""`memtend deploy`: everything on the server as it should be, once and not twice, and only ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.events import emit_event
from prefect.states import Late, Running

from memtend_flows.automating import all_automations
from memtend_flows.automations import MARK, STUCK
from memtend_flows.deploying import main
from memtend_flows.deployment import Place
from memtend_flows.registering import of_store
from memtend_flows.schedules import SERVED
from memtend_flows.sweep import sweep
from memtend_tasks.runs import HEARTBEAT, TAG
from tests.flows.hearing import change, core, hearing
from tests.flows.seen import eventually

POOL = "deploy-test"
PROD = Place("prod", "prod")
OPTIONS = ["--store=prod", "--target=prod", f"--pool={POOL}", "--folder=/srv/memtend"]


class Site(NamedTuple):
    """A server with what `deploy` has made for one store, and what somebody hears of its runs."""

    client: SyncPrefectClient
    heard: list[str]

    def deployments(self) -> dict[str, Any]:
        return {one.name: one for one in of_store(self.client, PROD)}

    def seen(self) -> dict[str, object]:
        """Everything that it has made, with the moment of its last change."""
        ours = [*self.deployments().values(), self.client.read_work_pool(POOL)]
        found: dict[str, object] = {one.name: (one.id, one.updated) for one in ours}
        for one in all_automations(self.client):
            found[one.name] = one
        return found


@pytest.fixture(scope="module")
def site(prefect: None) -> Iterator[Site]:
    for what in ("store", "backup"):
        Secret(value=f"/srv/{what}").save(f"memtend-{what}-prod", overwrite=True)
    with get_client(sync_client=True) as client, hearing("deploy-test") as bodies:
        before = {one.id for one in client.read_deployments()}
        assert main([*OPTIONS, "--plan"]) == 0
        assert {one.id for one in client.read_deployments()} == before
        assert main([*OPTIONS, "--notify=custom-webhook/deploy-test"]) == 0
        yield Site(client, bodies)
        for one in client.read_deployments():
            if one.id not in before:
                client.delete_deployment(one.id)
        for made in all_automations(client):
            if MARK in made.tags:
                client.delete_automation(made.id)


def test_everything_is_there(site: Site) -> None:
    """Each flow under the name of the store, for the workers of the pool, one run at a time."""
    made = site.deployments()
    assert sorted(made) == sorted(f"{one.flow.name}-prod" for one in SERVED if not one.once)
    prune = made["prune-prod"]
    assert prune.work_pool_name == POOL
    assert prune.parameters == {"store": "prod"}
    assert prune.global_concurrency_limit.limit == 1
    [when] = prune.schedules
    assert when.active
    assert when.schedule.cron == f"{PROD.minutes} 3 * * 0"
    names = {one.name for one in all_automations(site.client) if MARK in one.tags}
    assert {"memtend run failed", "memtend drill overdue", STUCK} <= names


def test_a_second_time_changes_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    before = site.seen()
    assert told(capsys) == {"unchanged"}
    assert site.seen() == before


def test_what_somebody_changed_is_put_right_and_what_was_paused_stays_so(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect forgets the parameters of a schedule when it is paused: they come back, too."""
    made = site.deployments()["sweep-prod"]
    site.client.update_deployment_schedule(made.id, made.schedules[0].id, active=False)
    failed = site.client.read_automations_by_name("memtend run failed")[0]
    site.client.pause_automation(failed.id)
    late = site.client.read_automations_by_name("memtend run late")[0]
    change(site.client, late, description="Somebody was here.")
    changes = plan(capsys)
    assert [(one["name"], one["what"]) for one in changes if one["state"] == "changed"] == [
        ("sweep-prod", ["schedules"]),
        ("memtend run late", ["says"]),
    ]
    assert main(OPTIONS) == 0
    [paused] = site.deployments()["sweep-prod"].schedules
    assert (paused.active, paused.parameters) == (False, {"dry_run": False})
    assert not site.client.read_automation(failed.id).enabled  # type: ignore[union-attr]
    assert told(capsys) == {"unchanged"}


def test_only_what_it_made_itself_becomes_obsolete(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment of a flow that is no more goes, and an alert; what others made stays."""
    flow = site.client.create_flow_from_name("mow")
    tags = ["memtend", "store:prod"]
    entry: dict[str, Any] = {"entrypoint": "memtend_flows.mow.mow", "work_pool_name": POOL}
    ours = site.client.create_deployment(flow, "mow-prod", tags=[*tags, MARK], **entry)
    others = site.client.create_deployment(flow, "mow-theirs", tags=tags, **entry)
    alert = site.client.read_automations_by_name("memtend run late")[0]
    old = site.client.create_automation(core(alert, name="memtend run slow"))
    kept = site.client.create_automation(core(alert, name="memtend of mine", tags=[]))
    gone = {one["name"] for one in plan(capsys) if one["state"] == "obsolete"}
    assert gone == {"mow-prod", "memtend run slow"}
    assert main(OPTIONS) == 0
    ids = {one.id for one in site.client.read_deployments()}
    assert ours not in ids
    assert others in ids
    left = {one.id for one in all_automations(site.client)}
    assert old not in left
    assert kept in left
    site.client.delete_automation(kept)
    site.client.delete_deployment(others)


def test_what_cannot_be_found_is_named_and_nothing_is_changed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A block that is missing, a name without one, an address that shows its password."""
    before = site.seen()
    for option, code in (
        ("--notify=slack-webhook/nobody", 126),
        ("--notify=nobody", 126),
        ("--store=nobody", 81),
        ("--target=nobody", 81),
        ("--archive=nobody", 81),
        ("--store=postgresql://me:hunter2@db/memory", 80),
    ):
        assert main([*OPTIONS, option]) == code
    said = capsys.readouterr().err
    assert "slack-webhook/nobody" in said
    assert all(f"memtend-{what}-nobody" in said for what in ("store", "backup", "archive"))
    assert "hunter2" not in said
    assert site.seen() == before


def test_a_name_that_is_taken_is_left_to_whoever_has_it(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prefect puts a deployment in the place of what has its name. Ours are found without their
    tags, too."""
    Secret(value="/srv/taken").save("memtend-store-taken", overwrite=True)
    flow = site.client.create_flow_from_name("backup")
    theirs = site.client.create_deployment(flow, "backup-taken", entrypoint="jobs.py:backup")
    assert main([*OPTIONS, "--store=taken"]) == 19
    assert "backup/backup-taken" in capsys.readouterr().err
    assert site.client.read_deployment(theirs).entrypoint == "jobs.py:backup"
    assert list(of_store(site.client, Place("taken"))) == []
    site.client.delete_deployment(theirs)
    made = site.deployments()["sweep-prod"]
    site.client.update_deployment(made.id, DeploymentUpdate(tags=["of mine"]))
    changes = plan(capsys)
    assert [(one["name"], one["what"]) for one in changes if one["state"] != "unchanged"] == [
        ("sweep-prod", ["tags"])
    ]
    assert main(OPTIONS) == 0
    assert site.deployments()["sweep-prod"].id == made.id


def test_a_run_waits_in_the_queue_that_a_person_has_chosen(site: Site) -> None:
    made = site.deployments()["learn-prod"]
    site.client.create_work_queue("nights", work_pool_name=POOL)
    chosen = DeploymentUpdate(
        work_pool_name=POOL, work_queue_name="nights", description="Somebody was here."
    )
    site.client.update_deployment(made.id, chosen)
    assert main(OPTIONS) == 0
    again = site.deployments()["learn-prod"]
    assert (again.work_queue_name, again.description) == ("nights", made.description)


def test_a_run_that_died_is_told_so_and_one_that_nobody_begins_is_heard_of(site: Site) -> None:
    """Dead is who gave no sign of life, or none any more; not who does, nor a run within one."""
    [stuck] = site.client.read_automations_by_name(STUCK)
    quick = stuck.trigger.model_copy(update={"within": timedelta(seconds=10)})
    change(site.client, stuck, trigger=quick.model_dump())
    made = {name: one.id for name, one in site.deployments().items()}
    # What looks for late runs is no part of a server as small as this one.
    late: State[None] = Late(scheduled_time=datetime.now(UTC) - timedelta(minutes=5))
    waiting = site.client.create_flow_run_from_deployment(made["backup-prod"], name="waiting")
    site.client.set_flow_run_state(waiting.id, late, force=True)
    dead, mute, alive = (
        site.client.create_flow_run_from_deployment(made[name], state=Running(), name=called)
        for name, called in (
            ("sweep-prod", "dead"),
            ("drill-prod", "mute"),
            ("learn-prod", "alive"),
        )
    )
    within = site.client.create_flow_run(sweep, tags=[TAG], state=Running())
    beat(dead)

    def states() -> list[StateType | None]:
        beat(alive)
        found = (site.client.read_flow_run(run.id) for run in (dead, mute, alive, within))
        return [run.state_type for run in found]

    died = [StateType.CRASHED, StateType.CRASHED, StateType.RUNNING, StateType.RUNNING]
    assert eventually(lambda: states() == died)
    assert eventually(lambda: any("process of a run has died" in body for body in site.heard))
    assert eventually(lambda: any("Nobody has begun" in body for body in site.heard))
    assert any("Run: dead" in body for body in site.heard)
    assert any("Run: waiting" in body for body in site.heard)
    assert states() == died


def beat(run: FlowRun) -> None:
    """A sign of life, as Prefect's engine gives it."""
    emit_event(
        HEARTBEAT,
        resource={"prefect.resource.id": f"prefect.flow-run.{run.id}"},
        related=[
            {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"},
            {
                "prefect.resource.id": f"prefect.deployment.{run.deployment_id}",
                "prefect.resource.role": "deployment",
            },
        ],
    )


def plan(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*OPTIONS, "--plan", "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


def told(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The states in which a further run finds everything."""
    capsys.readouterr()
    assert main([*OPTIONS, "--json"]) == 0
    return {one["state"] for one in orjson.loads(capsys.readouterr().out)}
