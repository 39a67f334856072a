"""The import plan: what items are to a store, what is counted, and what is pinned. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memtend.codec.envelope import content_mark, content_of
from memtend.errors import ScratchFull
from memtend.limits_foreign import IMPORT_TOLD_MAX
from memtend.migrate.detect import read_source
from memtend.migrate.importing import ImportPlan, Planner
from memtend.migrate.items import Found, ImportItem, Lineage, quarantined, sealed
from memtend.migrate.judging import ERASED, judge
from memtend.migrate.twins import Entry, Pins, Twins
from memtend.model.dot import Dot
from memtend.model.plan import Action
from memtend.model.record import Labels
from memtend.model.standing import Held, Standing

GOLDEN = Path(__file__).parents[1] / "golden/legacy"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW_MS = round(NOON.timestamp() * 1_000)
HOUR_MS = 3_600_000
FACTS: dict[str, Any] = {
    "source": "sample", "kind": "any", "run": "r1", "store_id": "s", "basis": 0, "made_at": NOON,
}  # fmt: skip


def item(value: Any = 1, key: str = "k", item_id: str = "i", **more: Any) -> ImportItem:
    source = Lineage(kind="any", path="f.json", id=item_id, format="1")
    labels = Labels(kind="note")
    return sealed(ImportItem("n", key, value, labels, source, **more))


def plan(found: Iterable[Found]) -> ImportPlan:
    with Planner() as planner:
        for one in found:
            if isinstance(one, ImportItem):
                planner.take([(one, judge(one, None, ttl_ms=None, now_ms=NOW_MS))])
            else:
                planner.set_aside(one)
        return planner.plan(**FACTS)


def held(of: ImportItem, value: Any = None, **extra: Any) -> Held:
    """As an import of `of` left it, or with another value since."""
    content = content_of(of.text)
    lineage = of.source._asdict() | {"content": content_mark(content)}
    if of.counter:
        lineage["counted"] = of.value
    seen = content if value is None else content_of(value)
    return Held(Dot("ab", 1), seen, of.counter, True, True, {"import": lineage} | extra)


def action(of: ImportItem, *here: Held, **more: Any) -> Action:
    standing = Standing(tuple(here), **more)
    return judge(of, standing, ttl_ms=None, now_ms=NOW_MS).action


def test_counts_by_kind_and_version() -> None:
    made = plan(one for v in ("1.0.0", "2.0.0") for one in read_source(GOLDEN / f"aml-{v}"))
    assert made.counts == {
        f"{kind} {v}": n
        for kind, n in (("decision", 6), ("pattern", 12), ("solution", 6))
        for v in ("1.0.0", "2.0.0")
    }
    assert made.actions == {"import": 24, "refuse": 24}
    assert {one.reason for one in made.refusals} == {"another item of the source has this name"}


def test_the_first_of_several_items_with_one_name_has_it() -> None:
    first, other = item(1), item(2, item_id="j")
    made = plan([first, item(1), other])
    assert [one.reason for one in made.refusals] == [
        "the same item again",
        "another item of the source has this name",
    ]
    pins = Pins(made.pins)
    assert [pins.take(one.pin) for one in (other, first, first)] == [False, True, False]
    assert (pins.met, len(pins)) == (1, made.writes)


def test_a_path_that_is_split_elsewhere_is_another_name() -> None:
    source = Lineage(kind="any", path="f.json", id="j", format="1")
    other = sealed(ImportItem("n/k", "x", 2, Labels(kind="note"), source))
    assert plan([item(1, "k/x"), other]).actions == {"import": 2}


def test_a_plan_is_bounded_and_counts_without_a_bound() -> None:
    count = 3 * IMPORT_TOLD_MAX
    made = plan(item(n, item_id=f"i{n}") for n in range(count))
    assert (made.total, made.writes, made.refused) == (count, 1, count - 1)
    assert len(made.decisions) == len(made.refusals) == IMPORT_TOLD_MAX
    assert made.truncated
    made = plan(quarantined(f"f{n}", "bad", b"x" * 100) for n in range(count))
    assert made.quarantined_count == count
    assert {one.data for one in made.quarantined} == {b""}
    assert len(made.quarantined) == IMPORT_TOLD_MAX


def test_a_plan_survives_json() -> None:
    made = plan([item(n, f"k{n}", f"i{n}") for n in range(5)])
    assert ImportPlan.model_validate_json(made.model_dump_json()) == made
    pins = Pins(made.pins)
    assert all(pins.take(item(n, f"k{n}", f"i{n}").pin) for n in range(5))
    assert not pins.take(item("changed", "k1", "i1").pin)
    with pytest.raises(ValueError, match="eight bytes"):
        ImportPlan(**{**dict(made), "pins": b"123"})


def test_an_erased_item_is_not_named() -> None:
    with Planner() as planner:
        planner.take([(item(key="secret"), ERASED)])
        made = planner.plan(**FACTS)
    assert (made.erased, made.refused, made.writes) == (1, 0, 0)
    assert "secret" not in made.model_dump_json()


def test_what_came_from_the_item_and_has_not_changed_is_kept() -> None:
    old = item(1)
    assert action(old, held(old)) is Action.KEEP
    assert action(old, held(old, b"edited")) is Action.KEEP
    assert action(old) is Action.IMPORT


def test_what_a_policy_has_made_a_counter_since_is_not_called_foreign() -> None:
    plain, counter = item(1), item(1, counter=True)
    for old, new in ((plain, counter), (counter, plain)):
        found = judge(
            new, Standing((held(old)._replace(counter=old.counter),)), ttl_ms=None, now_ms=NOW_MS
        )
        assert (found.action, found.reason[:30]) == (
            Action.REFUSE,
            "it came before as another kind",
        )


def test_a_changed_source_updates_only_what_nobody_touched() -> None:
    old, new = item(1), item(2)
    assert action(new, held(old)) is Action.UPDATE
    assert action(new, held(old, b"edited")) is Action.REFUSE
    theirs = Held(Dot("cd", 1), 5, False, True, True, {})
    assert action(new, theirs) is Action.REFUSE
    assert action(new, held(old), theirs) is Action.REFUSE
    assert action(new, held(item(1, item_id="other"))) is Action.REFUSE
    assert action(new, held(old), damaged=1) is Action.REFUSE


def test_a_migrated_value_counts_as_what_the_migration_wrote() -> None:
    old, new = item(1), item(2)
    migrated = {"run": "m1", "content": content_of(b"1.5"), "was": content_of(b"1")}
    assert action(new, held(old, b"1.5", migrated=migrated)) is Action.UPDATE
    assert action(new, held(old, b"1.6", migrated=migrated)) is Action.REFUSE
    edited = migrated | {"was": content_of(b"2")}
    assert action(new, held(old, b"1.5", migrated=edited)) is Action.REFUSE
    again = {"run": "m2", "content": content_of(b"1.7"), "was": content_of(b"1.5")}
    assert action(new, held(old, b"1.7", migrated=again | {"before": migrated})) is Action.UPDATE
    assert action(new, held(old, b"1.7", migrated=again | {"before": edited})) is Action.REFUSE


def test_a_counter_may_have_been_counted_on() -> None:
    old, new = item(5, counter=True), item(9, counter=True)
    judged = judge(new, Standing((held(old, b"grown"),)), ttl_ms=None, now_ms=NOW_MS)
    assert (judged.action, judged.counted) == (Action.UPDATE, 5)
    assert action(new, held(old), held(item(3))) is Action.REFUSE


def test_what_was_deleted_here_stays_deleted_until_the_source_says_something_newer() -> None:
    def after(ended: str, updated_ms: int | None) -> Action:
        return action(item(updated_ms=updated_ms), ended=ended, ended_ms=NOW_MS - HOUR_MS)

    assert after("deleted", None) is Action.REFUSE
    assert after("deleted", NOW_MS - HOUR_MS) is Action.REFUSE
    assert after("deleted", NOW_MS - 1) is Action.IMPORT
    assert after("deleted", NOW_MS + HOUR_MS) is Action.REFUSE
    assert after("swept", None) is Action.KEEP
    assert after("swept", NOW_MS - 2 * HOUR_MS) is Action.IMPORT


def test_what_has_expired_is_not_imported() -> None:
    def judged(of: ImportItem, ttl_ms: int | None = None) -> Action:
        return judge(of, None, ttl_ms=ttl_ms, now_ms=NOW_MS).action

    assert judged(item(expires_at_ms=NOW_MS)) is Action.SKIP
    assert judged(item(expires_at_ms=NOW_MS + 1), ttl_ms=1) is Action.IMPORT
    assert judged(item(updated_ms=NOW_MS - HOUR_MS), ttl_ms=HOUR_MS) is Action.SKIP
    assert judged(item(updated_ms=NOW_MS - HOUR_MS), ttl_ms=HOUR_MS + 1) is Action.IMPORT
    assert judged(item(), ttl_ms=1) is Action.IMPORT
    old = item(1)
    changed = item(2, expires_at_ms=NOW_MS)
    assert action(changed, held(old)) is Action.SKIP
    made = plan([item(expires_at_ms=1), item(2, item_id="j")])
    assert (made.expired, made.writes) == (1, 1)


def test_a_full_temporary_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the cache goes to a file, and that has a limit here."""
    monkeypatch.setattr("memtend.migrate.twins.IMPORT_TWINS_CACHE_KIB", 64)
    entries = [Entry(name * 2**40, name, True) for name in range(100_000)]
    with Twins() as twins:
        twins._database.execute("PRAGMA max_page_count = 50")
        with pytest.raises(ScratchFull):
            twins.enter(entries)
