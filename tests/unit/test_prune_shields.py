"""What no rule takes, whatever it says of the record; and where each shield ends."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.model.candidate import Alike
from memtend.model.layout import SwarmLayout
from memtend.model.prunepolicy import PrunePolicy
from tests.fixtures.candidates import PLAIN, ago, plan

DOOMED = PLAIN._replace(success_count=0, failure_count=9)
"""Every strategy but time would have it."""
TIGHT = PrunePolicy(
    store_bytes=10, value_below=0.9, value_unused_ms=1, namespaces_kept=("team/**", "a/b/kept*")
)
SWARM = SwarmLayout("demo")
TOGETHER = (
    SWARM.state("ada"), SWARM.heartbeat("ada"), SWARM.cursor("ada", "r"), SWARM.shared,
    SWARM.coordination("status", "ada"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "shield"),
    [
        ({}, None),
        ({"pinned": True}, "pinned"),
        ({"importance": 0.8}, "important"),
        ({"importance": 0.799}, None),
        ({"written_ms": ago(1, ms=1)}, "just-written"),
        ({"written_ms": ago(1)}, None),
        ({"accesses": 5, "read_ms": ago(30, ms=1)}, "read-often"),
        ({"accesses": 5, "read_ms": ago(30)}, None),
        ({"accesses": 4, "read_ms": ago(0.5)}, None),
        ({"accesses": 5}, None),
        ({"key": "asked"}, "missed-before"),
        ({"key": "kept-7"}, "kept-by-name"),
        ({"namespace": "team"}, "kept-by-name"),
        ({"namespace": "team/x"}, "kept-by-name"),
        ({"namespace": "teams"}, None),
        ({"namespace": "messages/bob"}, "kept-by-name"),
        ({"namespace": "leases"}, "kept-by-name"),
        *((at._asdict(), "kept-by-name") for at in TOGETHER),
        (SWARM.progress("ada", "task")._asdict(), None),
        ({"held": "quarantined"}, "quarantined"),
        ({"held": "counter"}, "counter"),
        ({"held": "sibling"}, "sibling"),
    ],
)
@pytest.mark.parametrize("strategy", ["performance", "value", "space", "redundancy"])
def test_shields(strategy: str, changed: dict[str, Any], shield: str | None) -> None:
    """A shield holds against every strategy, and ends where it says."""
    keeper = PLAIN._replace(seq=1, key="keeper", pinned=True)
    twin = (Alike(seq=7, keeper=1, keeper_path="a/b/keeper", similarity=1),)
    made = plan(
        [keeper, DOOMED._replace(**changed)], TIGHT,
        strategies=[strategy], missed={("a/b", "asked")}, alike=twin,
    )  # fmt: skip
    assert [one.seq for one in made.decisions] == ([] if shield else [7])
    kept = {word: count for word, count in made.shielded.items() if word != "pinned"}
    assert kept == ({} if shield in (None, "pinned") else {shield: 1})


def test_only_what_a_rule_named_is_counted_as_shielded() -> None:
    fine = PLAIN._replace(success_count=9, failure_count=0, pinned=True)
    assert plan([fine]).shielded == {}
    assert plan([fine, DOOMED._replace(seq=8, pinned=True)]).shielded == {"pinned": 1}
