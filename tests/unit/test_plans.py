"""Plans at rest: what was reviewed is what is applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import PlanAltered, PlanMissing
from memtend.model.plan import PlanRef
from memtend.plans import load_plan, save_plan
from tests.unit.test_guard import plan


def test_a_saved_plan_comes_back(tmp_path: Path, clock: ManualClock) -> None:
    made = plan(3, 10)
    ref = save_plan(made, str(tmp_path), clock)
    assert (ref.operation, ref.decisions) == ("sweep", 4)
    assert load_plan(ref, clock) == made
    assert save_plan(made, str(tmp_path), clock) == ref
    assert load_plan(PlanRef.model_validate_json(ref.model_dump_json()), clock) == made


def test_an_altered_plan_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    ref = save_plan(plan(3, 10), str(tmp_path), clock)
    [file] = [path for path in tmp_path.rglob("*.json") if ref.sha256 in path.name]
    file.chmod(0o600)
    file.write_text(file.read_text().replace("k1", "k9"))
    with pytest.raises(PlanAltered):
        load_plan(ref, clock)


def test_a_missing_plan(tmp_path: Path, clock: ManualClock) -> None:
    ref = save_plan(plan(3, 10), str(tmp_path), clock)
    with pytest.raises(PlanMissing):
        load_plan(ref.model_copy(update={"sha256": "0" * 64}), clock)
