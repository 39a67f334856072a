"""The section `alerts:` of a policy file."""

from __future__ import annotations

import pytest

from memtend.errors import InvalidPolicy
from memtend.limits import MIB
from memtend.model.alert import AlertLevel
from memtend.model.alertpolicy import AlertPolicy
from memtend.model.policyfile import PolicyFile
from memtend.policies import dump_policies, load_policies

EVERYTHING = """
alerts:
  agent_bytes: {warning: 1MiB, error: none, critical: 3MiB}
  store_bytes: {error: 900MiB}
  query_p95: {warning: 250ms, critical: 2s}
  cache_hit: {warning: 0.9, error: 0.5}
  regret: {warning: none, error: none}
  tell_from: error
  remind: none
  keep: 30d
"""


def test_what_is_left_out_keeps_its_default() -> None:
    assert load_policies("").alerts == AlertPolicy()
    found = load_policies(EVERYTHING).alerts
    assert found.agent_bytes.limits() == (
        (AlertLevel.CRITICAL, 3 * MIB),
        (AlertLevel.WARNING, MIB),
    )
    assert (found.store_bytes.warning, found.store_bytes.error) == (600 * MIB, 900 * MIB)
    assert (found.query_p95_ms.warning, found.query_p95_ms.critical) == (250, 2_000)
    assert found.regret_share.limits() == ()
    assert (found.tell_from, found.remind_ms, found.keep_ms) == (
        AlertLevel.ERROR, None, 30 * 86_400_000,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", EVERYTHING])
def test_it_reads_back_as_it_was_written(text: str) -> None:
    file = load_policies(text)
    assert load_policies(dump_policies(file)).alerts == file.alerts


@pytest.mark.parametrize(
    "section",
    [
        "{agent_bytes: {warning: 90MiB}}",  # above the error that is left out
        "{agent_bytes: {warning: 0}}",
        "{agent_bytes: 5MiB}",
        "{cache_hit: {warning: 0.5, error: 0.6}}",
        "{cache_hit: {warning: 1.5}}",
        "{query_p95: {warning: soon}}",
        "{query_p95: {fatal: 1s}}",
        "{tell_from: everything}",
        "{remind: 0s}",
        "{keep: none}",
        "{keep: 23h}",
        "{disk: {warning: 1}}",
    ],
)
def test_nothing_is_guessed(section: str) -> None:
    with pytest.raises(InvalidPolicy, match="line 1"):
        load_policies(f"alerts: {section}")


def test_a_store_that_has_kept_all_of_them_is_read() -> None:
    """As it was written before only what differs was kept."""
    policy = AlertPolicy(remind_ms=None)
    kept = PolicyFile.model_validate_json(f'{{"alerts": {policy.model_dump_json()}}}')
    assert kept.alerts == policy
