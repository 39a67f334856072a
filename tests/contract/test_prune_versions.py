"""What is pruned does not depend on the schema that an item is written in.

The samples are the same items, written by the original programs at each of their versions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.model.policyfile import PolicyFile
from memtend.model.prunepolicy import DAY_MS
from memtend.prune.plan import PruneDecision
from memtend.services import open_services
from tests.fixtures.aging import GOLDEN, NOW_MS, VERSIONS, migrated, settings_in

Told = tuple[str, str, str, str, float | None, str]
Decided = list[Told]
AGES_DAYS = (2, 45, 100, 300)
CROWDED = PolicyFile(pruning={"agent_bytes": 1, "low_water": 0.001})
"""Sizes differ between versions, so the limit is one that no size meets."""


@pytest.fixture(scope="module")
def in_oldest(tmp_path_factory: pytest.TempPathFactory) -> list[Decided]:
    return _decided("1.0.0", tmp_path_factory.mktemp("oldest"))


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_samples_of_every_version_are_decided_alike(
    version: str, in_oldest: list[Decided], tmp_path: Path
) -> None:
    assert _decided(version, tmp_path) == in_oldest


def test_migrating_them_in_place_changes_no_decision(
    in_oldest: list[Decided], tmp_path: Path
) -> None:
    assert _decided("1.0.0", tmp_path, migrate=True) == in_oldest


def test_the_samples_meet_every_kind_of_rule(in_oldest: list[Decided]) -> None:
    met = {rule for decided in in_oldest for _, _, rule, *_ in decided}
    assert {
        "time.unused-patterns",
        "time.old-decisions",
        "performance.low-success",
        "performance.obsolete-solutions",
        "performance.negative-decisions",
        "space.lowest-value",
    } <= met


def _decided(version: str, folder: Path, *, migrate: bool = False) -> list[Decided]:
    """What would be pruned of a sample at several ages, with and without a lack of space."""
    clock = ManualClock(NOW_MS)
    with open_services("sqlite://", settings=settings_in(folder), clock=clock) as services:
        services.apply_import(services.plan_import(str(GOLDEN / f"aml-{version}")))
        if migrate:
            assert migrated(services).written == 24
        found = []
        for days in AGES_DAYS:
            clock.advance(NOW_MS + days * DAY_MS - clock.now_ms())
            for file in (PolicyFile(), CROWDED):
                services.memory.config.set_policies(file, "owner")
                found.append([_told(one) for one in services.plan_prune().decisions])
        return found


def _told(one: PruneDecision) -> Told:
    """Without the size; what space says of itself is how much is held."""
    reason = "" if one.strategy == "space" else one.reason
    return one.namespace, one.key, one.rule, one.action.value, one.score, reason
