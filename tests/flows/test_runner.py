"""The process beside a server that it has for itself, and alone on one of others."""

from __future__ import annotations

from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Running

from memtend_flows.automating import all_automations
from memtend_flows.automations import STUCK
from memtend_flows.deployment import deployment
from memtend_flows.runner import prepared
from memtend_flows.schedules import SERVED


def test_what_was_cut_off_with_the_server_is_told_so_at_the_start(
    automated: SyncPrefectClient,
) -> None:
    client = automated
    sweep = next(one for one in SERVED if one.flow.name == "sweep")
    known = deployment(sweep).apply()
    assert isinstance(known, UUID)
    run = client.create_flow_run_from_deployment(known).id
    client.set_flow_run_state(run, Running(), force=True)
    made = prepared(client, beside=True, silent_s=0)
    assert len(made) == len(SERVED)
    assert client.read_flow_run(run).state_name == "Crashed"
    client.delete_deployment(known)


def test_beside_its_server_nobody_listens_to_heartbeats(automated: SyncPrefectClient) -> None:
    prepared(automated, beside=False)
    assert STUCK in {one.name for one in all_automations(automated)}
    prepared(automated, beside=True)
    assert STUCK not in {one.name for one in all_automations(automated)}
