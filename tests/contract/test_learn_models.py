"""The registry of models, the files of models, trials: on every engine."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson
import pytest

from memtend.clock import ManualClock, to_datetime
from memtend.errors import ModelDamaged, ModelNotPromoted, ModelUnknown
from memtend.limits_learning import MODEL_ORPHAN_MS, MODELS_KEPT
from memtend.memory import Memory
from memtend.model.learned import ModelEntry, ModelStatus
from memtend.modelfiles import ModelFiles
from memtend.objects import ObjectStore, open_target
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import models, trials
from memtend.store.store import Store
from memtend.store.verify import verify_store
from tests.fixtures.stores import run_sql

FILES = {"card.md": b"# what it is", "served.npz": b"\x00" * 100}


def entry(model_id: str, **more: Any) -> ModelEntry:
    given = {
        "model_id": model_id, "scenario": "build", "kind": "strategy", "status": "candidate",
        "made_at": to_datetime(1_000), "program": "0.1.0", "seed": 7, "rows": 200,
        "first_at": to_datetime(1), "facts": {"gain": [0.1, 0.2], "features": ["ä"]},
    }  # fmt: skip
    return ModelEntry.model_validate(given | more)


def entered(store: Store, *model_ids: str, **more: Any) -> None:
    for model_id in model_ids:
        models.save(store, entry(model_id, **more), "operator")


def acts(memory: Memory) -> list[tuple[str, str]]:
    rows = run_sql(memory, "SELECT detail FROM audit WHERE action = 'model' ORDER BY n")
    told = [orjson.loads(detail) for (detail,) in rows]
    return [(one["act"], one["model"]) for one in told]


def test_an_entry_comes_back_as_it_was(memory: Memory) -> None:
    files = ({"name": "card.md", "bytes": 3, "sha256": "ab" * 32},)
    kept = entry("m1", files=files, parent="m0", last_at=to_datetime(5), why="too few")
    models.save(memory.store, kept, "operator")
    assert models.find(memory.store, "m1") == kept
    assert models.listed(memory.store) == models.listed(memory.store, "build") == [kept]
    assert models.listed(memory.store, "test") == []
    with pytest.raises(ModelUnknown, match="'m2'"):
        models.find(memory.store, "m2")
    with pytest.raises(ModelNotPromoted, match="already"):
        models.save(memory.store, kept, "operator")
    with pytest.raises(ModelNotPromoted, match="by being promoted"):
        models.save(memory.store, entry("m3", status="active"), "operator")


def test_of_a_scenario_one_model_is_in_use(memory: Memory) -> None:
    store = memory.store
    entered(store, "m1", "m2")
    entered(store, "other", scenario="test")
    assert models.active(store, "build") is None
    first = models.promote(store, "m1", expected=None, actor="operator")
    assert first.promoted_at is not None
    models.promote(store, "other", expected=None, actor="operator")
    models.promote(store, "m2", expected="m1", actor="operator", why="better")
    assert {one.model_id for one in models.in_use(store).values()} == {"m2", "other"}
    assert models.find(store, "m1").status is ModelStatus.RETIRED
    models.promote(store, "m2", expected="m2", actor="operator")  # a repeated call does no harm
    assert models.active(store, "build") == models.find(store, "m2")
    promoted = [("promoted", one) for one in ("m1", "other", "m2", "m2")]
    assert acts(memory)[3:] == promoted
    assert verify_store(store).ok


def test_a_model_of_another_kind_is_in_use_beside_it(memory: Memory) -> None:
    """How long to keep what is another question than how to go about a task."""
    store = memory.store
    entered(store, "m1")
    entered(store, "t1", "t2", kind="ttl")
    for one, expected in (("m1", None), ("t1", None), ("t2", "t1")):
        models.promote(store, one, expected=expected, actor="operator")
    assert [one.model_id for one in models.in_use(store).values()] == ["m1"]
    assert [one.model_id for one in models.in_use(store, "ttl").values()] == ["t2"]
    models.roll_back(store, "build", expected="t2", actor="operator", kind="ttl")
    assert models.active(store, "build", "ttl") is None
    assert models.active(store, "build") == models.find(store, "m1")
    assert models.surplus(models.listed(store)) == []


def test_what_was_changed_meanwhile_is_not_replaced(memory: Memory) -> None:
    store = memory.store
    entered(store, "m1", "m2", "m3")
    models.promote(store, "m1", expected=None, actor="operator")
    before = acts(memory)
    for expected in (None, "m3"):
        with pytest.raises(ModelNotPromoted, match="m1 is in use by now"):
            models.promote(store, "m2", expected=expected, actor="operator")
        with pytest.raises(ModelNotPromoted, match="m1 is in use by now"):
            models.roll_back(store, "build", expected=expected, actor="operator")
    models.refuse(store, "m2", actor="gate", why="no better than chance")
    with pytest.raises(ModelNotPromoted, match=r"refused \(no better than chance"):
        models.promote(store, "m2", expected="m1", actor="operator")
    assert models.active(store, "build") == models.find(store, "m1")
    assert acts(memory) == [*before, ("refused", "m2")]


def test_what_was_in_use_before_comes_back(memory: Memory) -> None:
    store = memory.store
    entered(store, "m1")
    entered(store, "m2", parent="m1")
    models.promote(store, "m1", expected=None, actor="operator")
    models.promote(store, "m2", expected="m1", actor="operator")
    back = models.roll_back(store, "build", expected="m2", actor="operator", why="drift")
    assert back is not None
    assert (back.model_id, back.status) == ("m1", ModelStatus.ACTIVE)
    assert models.roll_back(store, "build", expected="m1", actor="operator") is None
    assert models.in_use(store) == {}
    assert models.roll_back(store, "build", expected=None, actor="operator") is None
    assert {one.status for one in models.listed(store)} == {ModelStatus.RETIRED}
    assert acts(memory)[-2:] == [("rolled back", "m1"), ("rolled back", "m1")]


def test_those_in_use_and_the_newest_are_kept(memory: Memory) -> None:
    store = memory.store
    for n in range(MODELS_KEPT + 5):
        entered(store, f"m{n:02}", made_at=to_datetime(n), parent="m00" if n == 1 else None)
    models.promote(store, "m01", expected=None, actor="operator")
    surplus = [one.model_id for one in models.surplus(models.listed(store))]
    assert surplus == ["m04", "m03", "m02"]
    dropped = models.drop(store, [*surplus, "m01"], actor="tend", why="old")
    assert dropped == surplus  # never what is in use
    assert models.surplus(models.listed(store)) == []


def test_a_damaged_row_is_in_no_use(damageable: Memory) -> None:
    entered(damageable.store, "m1", "m2")
    models.promote(damageable.store, "m1", expected=None, actor="operator")
    run_sql(damageable, "UPDATE model SET seed = 8 WHERE id = 'm1'")
    assert models.active(damageable.store, "build") is None
    models.promote(damageable.store, "m2", expected=None, actor="operator")
    assert [one.where for one in verify_store(damageable.store).findings] == ["model"]


def test_trials(memory: Memory) -> None:
    store = memory.store
    first = trials.Trial("t1", "notes", "running", {"ttl_ms": 5, "share": 0.1}, 1_000)
    with store.engine.write() as tx:
        trials.save(tx, first)
        second = first._replace(id="t2", began_ms=2_000)
        trials.save(tx, second)
    assert trials.listed(store) == [second, first]
    ended = first._replace(state="taken back", ended_ms=3_000, facts={"regret": 0.2})
    with store.engine.write() as tx:
        trials.save(tx, ended)
    assert trials.listed(store) == [second, ended]
    assert trials.running(store) == [second]


@pytest.fixture(params=["folder", "memory"])
def target(request: pytest.FixtureRequest, tmp_path: Any, clock: ManualClock) -> ObjectStore:
    url = str(tmp_path / "models")
    return open_target(url if request.param == "folder" else f"memory:/{url}", clock)


def test_files_are_known_before_they_are_read(target: ObjectStore, clock: ManualClock) -> None:
    files = ModelFiles(target, "s1", clock)
    kept = entry("m1", files=files.write("m1", FILES))
    assert [(one.name, one.bytes) for one in kept.files] == [("card.md", 12), ("served.npz", 100)]
    assert {name: files.read(kept, name) for name in FILES} == FILES
    assert files.write("m1", FILES) == kept.files  # a repeated call finds its own
    with pytest.raises(ModelDamaged, match="another file has its name"):
        files.write("m1", {"card.md": b"# what it was"})
    with pytest.raises(ModelDamaged, match="names no such file"):
        files.read(kept, "../m2/card.md")
    assert files.missing(kept) == files.altered(kept) == ()
    for bad, why in ((b"# what it IS", "hash"), (b"# what", "6 bytes"), (b"#" * 13, "longer")):
        target.delete("s1/m1/card.md")
        target.put_if_absent("s1/m1/card.md", bad)
        with pytest.raises(ModelDamaged, match=why):
            files.read(kept, "card.md")
        assert files.altered(kept) == ("card.md",)
    target.delete("s1/m1/card.md")
    with pytest.raises(ModelDamaged, match="it is not at"):
        files.read(kept, "card.md")
    assert files.missing(kept) == files.altered(kept) == ("card.md",)
    assert kept.files[0].sha256 == sha256(FILES["card.md"]).hexdigest()


def test_files_of_dropped_models_go_and_others_stay(
    target: ObjectStore, clock: ManualClock
) -> None:
    files, others = ModelFiles(target, "s1", clock), ModelFiles(target, "s2", clock)
    for model_id in ("m1", "m2"):
        files.write(model_id, FILES)
        others.write(model_id, FILES)
    assert files.remove(["m1", "m3"]) == 2
    assert sorted(one.name for one in target.list()) == [
        "s1/m2/card.md", "s1/m2/served.npz", "s2/m1/card.md", "s2/m1/served.npz",
        "s2/m2/card.md", "s2/m2/served.npz",
    ]  # fmt: skip


def test_what_a_crash_has_left_is_found_when_it_is_old(
    target: ObjectStore, clock: ManualClock
) -> None:
    files = ModelFiles(target, "s1", clock)
    for model_id in ("m1", "m2"):
        files.write(model_id, FILES)
    written_ms = [one.modified_ms for one in target.list() if one.modified_ms is not None]
    later = ManualClock(max(written_ms) + MODEL_ORPHAN_MS) if written_ms else clock
    assert ModelFiles(target, "s1", later).orphans(["m1"]) == ["m2"] * bool(written_ms)
    assert ModelFiles(target, "s1", clock).orphans(["m1"]) == []


def test_the_age_of_the_model_in_use_is_a_figure(memory: Memory, clock: ManualClock) -> None:
    made_at = to_datetime(clock.now_ms() - 90_000)
    entered(memory.store, "m1", made_at=made_at)
    assert ages(memory) == {}
    models.promote(memory.store, "m1", expected=None, actor="operator")
    assert ages(memory) == {(("scenario", "build"),): 90.0}


def ages(memory: Memory) -> dict[tuple[tuple[str, str], ...], float]:
    found = Services(memory, Settings()).figures()
    return {one.labels: one.value for one in found if one.name == "memtend_model_age_seconds"}
