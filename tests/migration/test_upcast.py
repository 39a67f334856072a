"""What each step does, beside what the original program did with the same items."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.model.unreadable import Unreadable
from memtend.upcast.casting import PLAIN, Step, Went
from memtend.upcast.family import AML, FAMILIES
from tests.migration.aml_items import STAMP, TYPICAL, sample, text

UTC = "2026-09-05T07:10:59.953000+00:00"
PATTERN: dict[str, Any] = {"id": "p", "pattern": {"type": "retry"}}
SOLUTION: dict[str, Any] = {"id": "s", "problem": {"errorType": "E"}}


def up(item: dict[str, Any], to: str | None = None, kind: str = "pattern") -> Any:
    """The value, after a look at the way back."""
    version = AML.version_of(kind, item)
    cast = AML.up(kind, item, to)
    assert version is not None
    assert text(AML.down(kind, cast.value, version, cast.undo).value) == text(item)
    return cast.value


@pytest.mark.parametrize("version", AML.versions)
def test_the_original_made_the_same_of_its_sample(version: str) -> None:
    """But that it dropped variations, left the metadata at 1.2.0, and asked a clock."""
    theirs = sample(version)
    for name, (kind, item) in sample("1.0.0").items():
        cast = AML.up(kind, item, version)
        assert (cast.version, cast.undo, cast.losses, cast.unread) == (version, None, (), ())
        ours, original = dict(cast.value), dict(theirs[name][1])
        if version == "2.0.0" and kind == "pattern":
            assert ours.pop("variations") == []
        if "metadata" in ours:
            assert ours["metadata"]["version"] == version
            assert ours["metadata"]["last_modified"] == ours["timestamp"]
            assert ours.pop("metadata").keys() == original.pop("metadata").keys()
        assert ours == original


@pytest.mark.parametrize("version", AML.versions)
def test_the_samples_go_down_to_any_version_without_loss(version: str) -> None:
    for kind, item in sample(version).values():
        for older in AML.versions[: AML.versions.index(version) + 1]:
            cast = AML.down(kind, item, older)
            assert cast.losses == ()
            assert AML.version_of(kind, cast.value) == older
            back = AML.up(kind, cast.value, version).value
            assert {**back, "metadata": 0, "variations": 0} == {
                **item,
                "metadata": 0,
                "variations": 0,
            } | ({"metadata": 0} if "metadata" in back else {})


def test_fields_that_nobody_knows_lie_below_extra_and_come_back() -> None:
    item = PATTERN | {"mine": 1, "extra": {"mine": 2}, "variations": [3], "active": False}
    new = up(item)
    assert (new["extra"], new["variations"], new["active"]) == (
        {"mine": 1, "extra": {"mine": 2}},
        [3],
        False,
    )
    assert AML.down("pattern", new, "1.2.0").value.items() >= item.items()


def test_a_field_below_extra_does_not_take_the_place_of_a_known_one() -> None:
    extra = {"metrics": 1, "tags": ["a"], "version": "mine", "free": 2}
    old = AML.down("pattern", PATTERN | {"version": "2.0.0", "extra": extra}, "1.2.0").value
    assert old["free"] == 2
    assert old["extra"] == {"metrics": 1, "tags": ["a"], "version": "mine"}
    assert old["version"] == "1.2.0"
    nested = PATTERN | {"version": "2.0.0", "extra": {"metrics": 1, "extra": 2}}
    assert AML.down("pattern", nested, "1.2.0").value["extra"] == {"metrics": 1, "extra": 2}


def test_metadata_that_says_something_stays_on_the_way_down() -> None:
    said = {"created_by": "me", "last_modified": "2026-11-21T00:43:57", "version": "1.2.0"}
    old = AML.down("pattern", PATTERN | {"metadata": said, "variations": [1]}, "1.0.0").value
    assert old["metadata"] == {"created_by": "me", "last_modified": "2026-11-21T00:43:57"}
    assert old["variations"] == [1]
    assert old["version"] == "1.0.0"  # else metadata with variations would read as 1.2.0


def test_absent_metrics_stay_absent() -> None:
    assert up(PATTERN).keys() == {
        "id", "pattern", "tags", "active", "metadata", "variations", "version"
    }  # fmt: skip
    assert up(PATTERN | {"metrics": {"successRate": 0.5}})["performance"] == {"success_rate": 0.5}


def test_names_change_places_where_both_are_there() -> None:
    both = {"successRate": 0.5, "success_rate": 0.7, "mine": 1}
    item = PATTERN | {"version": "1.2.0", "metrics": both, "performance": {"mine": 2}}
    new = up(item)
    assert new["performance"] == {"success_rate": 0.5, "successRate": 0.7, "mine": 1}
    assert new["extra"] == {"performance": {"mine": 2}}


@pytest.mark.parametrize("part", [None, [], "fast", 7, True])
def test_parts_that_are_no_objects_are_only_renamed(part: Any) -> None:
    new = up(PATTERN | {"metrics": part, "evolution": part})
    assert (new["performance"], new["lifecycle"]) == (part, part)


MADE = {"created_by": "migration", "last_modified": UTC}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"mine": 1}, MADE | {"mine": 1}),
        ({"created_by": "me"}, MADE | {"created_by": "me"}),
        ({"version": 3}, MADE | {"extra": {"version": 3}}),
        ("mine", MADE | {"extra": "mine"}),
        ({"extra": {"mine": 1}}, MADE | {"extra": {"mine": 1}}),
    ],
)
def test_a_users_own_metadata_stays(metadata: Any, expected: dict[str, Any]) -> None:
    item = PATTERN | {"timestamp": STAMP, "metadata": metadata}
    assert AML.version_of("pattern", item) == "1.0.0"
    assert up(item, "1.1.0")["metadata"] == metadata
    assert up(item, "1.2.0")["metadata"] == expected | {"version": "1.2.0"}
    assert up(item, "2.0.0")["metadata"] == expected | {"version": "2.0.0"}


@pytest.mark.parametrize("changed", [{"tags": []}, {"active": True}, {"variations": []}])
def test_what_a_step_would_have_added_is_not_taken_away(changed: dict[str, Any]) -> None:
    """Here the default inverse leaves something out, so there is an undo."""
    item = PATTERN | TYPICAL | changed
    cast = AML.up("pattern", item)
    assert cast.undo == [[[name], value] for name, value in changed.items()]
    assert up(item)


def test_a_stated_version_comes_back() -> None:
    other = {"created_by": "me", "last_modified": None, "version": "1.2.0"}
    assert up(PATTERN | TYPICAL | {"version": "1.0.0", "metadata": other}, "1.1.0")
    whole = AML.up("pattern", PATTERN | TYPICAL, "1.2.0").value | {"version": "1.2.0"}
    assert up(whole)["version"] == "2.0.0"
    assert AML.up("pattern", whole).undo == [[["version"], "1.2.0"]]


def test_a_version_that_is_no_text_is_the_users() -> None:
    item = PATTERN | {"version": 7}
    assert up(item, "1.2.0")["version"] == 7
    new = up(item)
    assert (new["version"], new["extra"]) == ("2.0.0", {"version": 7})


def test_times_that_cannot_be_written_stay_and_are_named() -> None:
    evolution = {"created": "2026-09-05T07:10:59", "lastUsed": 1757056259953}
    cast = AML.up("pattern", PATTERN | {"timestamp": "tomorrow", "evolution": evolution})
    assert cast.unread == ("timestamp", "evolution.created")
    assert cast.value["timestamp"] == "tomorrow"
    assert cast.value["lifecycle"] == {
        "created_at": "2026-09-05T07:10:59",
        "last_used_at": "2025-09-05T07:10:59.953000+00:00",
    }
    assert cast.undo == [[["evolution", "lastUsed"], 1757056259953]]


def test_what_is_no_item_is_left_alone() -> None:
    for kind, value in (
        ("pattern", {"id": 1, "pattern": {}}),
        ("pattern", {"id": "x", "pattern": "text"}),
        ("decision", {"decision_id": "x", "decision": {}}),
        ("note", PATTERN),
        ("pattern", [PATTERN]),
    ):
        assert AML.version_of(kind, value) is None
        with pytest.raises(Unreadable, match="of the family aml"):
            AML.up(kind, value)
    with pytest.raises(Unreadable, match=r"9\.9"):
        AML.up("pattern", PATTERN | {"version": "9.9"})
    with pytest.raises(Unreadable, match=r"9\.9"):
        AML.up("pattern", PATTERN, "9.9")


def test_one_that_is_there_already_stays() -> None:
    new = up(PATTERN)
    assert AML.up("pattern", new, "1.1.0").value is new
    assert AML.down("pattern", PATTERN, "2.0.0").value is PATTERN
    assert AML.cast("pattern", PATTERN, "2.0.0").value == new
    assert AML.cast("pattern", new, "1.0.0").value == PATTERN


@pytest.mark.parametrize(
    "undo",
    [7, "x", [7], [[["nowhere", "deep"], 1]], [[[], 1]], [[["tags"], 1, 2]], [[[7], 1]],
     [[["id", "deep"], 1]], [[["version"], "9.9"]], [[["version"], "2.0.0"]], [[["pattern"]]]],
)  # fmt: skip
def test_an_undo_of_another_value_is_refused(undo: Any) -> None:
    new = up(PATTERN)
    with pytest.raises(Unreadable):
        AML.down("pattern", new, "1.0.0", undo)


def _graded(_kind: str, item: dict[str, Any]) -> Went:
    if isinstance(lifecycle := item.get("lifecycle"), dict) and "confidence" in lifecycle:
        item["grade"] = round(lifecycle["confidence"] * 10)
    return PLAIN if "grade" not in item else Went()


def _ungraded(_kind: str, item: dict[str, Any]) -> tuple[str, ...]:
    grade = item.pop("grade", None)
    said = isinstance(lifecycle := item.get("lifecycle"), dict) and "confidence" in lifecycle
    return () if grade is None or said else ("grade",)


def test_a_later_version_is_one_more_step() -> None:
    family = AML.extended(Step("2.1.0", _graded, _ungraded))
    assert family.newest == "2.1.0"
    item = PATTERN | TYPICAL | {"evolution": {"confidenceScore": 0.34}, "version": 7}
    cast = family.up("pattern", item)
    assert (cast.value["grade"], cast.value["version"]) == (3, "2.1.0")
    assert cast.value["extra"] == {"version": 7}
    assert family.version_of("pattern", cast.value) == "2.1.0"
    assert family.down("pattern", cast.value, "1.0.0", cast.undo).value == item
    assert family.down("pattern", cast.value, "2.0.0").value == AML.up("pattern", item).value
    ungrounded = {"id": "s", "problem": {}, "version": "2.1.0", "grade": 2}
    assert family.down("solution", ungrounded, "1.2.0").losses == ("grade",)
    own = SOLUTION | {"metadata": {"mine": 1}, "version": "2.0.0"}
    assert family.up("solution", own).value == own | {"version": "2.1.0"}
    with pytest.raises(Unreadable):
        AML.version_of("pattern", cast.value)


@pytest.mark.parametrize("extra", [None, {"mine": 1}, {"version": 1}, "text"])
def test_a_users_version_makes_room_for_ours(extra: Any) -> None:
    family = AML.extended(Step("2.1.0", _graded, _ungraded))
    item = {"id": "p", "performance": {}, "version": 7} | ({"extra": extra} if extra else {})
    cast = family.up("pattern", item)
    kept = extra | {"version": 7} if extra == {"mine": 1} else {"extra": extra, "version": 7}
    assert cast.value["extra"] == (kept if extra else {"version": 7})
    assert cast.value["version"] == "2.1.0"
    assert family.down("pattern", cast.value, "2.0.0", cast.undo).value == item
    bare = AML.down("pattern", item | {"version": 7, "metadata": {}}, "1.2.0").value
    assert bare["version"] == "1.2.0"
    assert "7" in text(bare["extra"])


def test_no_two_families_share_a_kind() -> None:
    kinds = [kind for family in FAMILIES for kind in family.kinds]
    assert len(kinds) == len(set(kinds))
