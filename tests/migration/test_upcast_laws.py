"""The laws of the chain, for items as programs wrote them and as nobody would."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.model.timestamps import utc_text
from memtend.upcast.family import AML
from tests.migration.aml_items import HOSTILE, STAMP, text

_ABSENT = object()
OWN = {"created_by": "migration", "last_modified": STAMP}
VERSIONS = st.sampled_from(AML.versions)


@settings(max_examples=400)
@given(HOSTILE, VERSIONS)
def test_the_way_back_is_exact_and_nothing_is_touched(
    found: tuple[str, dict[str, Any]], to: str
) -> None:
    kind, item = found
    before, version = text(item), AML.version_of(kind, item)
    assert version is not None
    cast = AML.up(kind, item, to)
    assert text(item) == before
    assert text(cast) == text(AML.up(kind, item, to))
    assert cast.version == AML.version_of(kind, cast.value) == max(version, to)
    stored = json.loads(text([cast.value, cast.undo]))
    assert text(AML.down(kind, stored[0], version, stored[1]).value) == before
    again = AML.up(kind, cast.value, to)
    assert (again.value, again.undo) == (cast.value, None)


@settings(max_examples=150)
@given(HOSTILE)
def test_steps_alone_and_the_chain_agree(found: tuple[str, dict[str, Any]]) -> None:
    kind, item = found
    value = item
    for version in AML.versions:
        value = AML.up(kind, value, version).value
        assert text(value) == text(AML.up(kind, item, version).value)
    newest = value
    for version in reversed(AML.versions):
        value = AML.down(kind, value, version).value
        assert text(value) == text(AML.down(kind, newest, version).value)


@settings(max_examples=300)
@given(HOSTILE, VERSIONS)
def test_no_value_is_lost_either_way(found: tuple[str, dict[str, Any]], to: str) -> None:
    """Up, and down without an undo: only what the other way puts back unasked may go."""
    kind, item = found
    before, version = text(item), AML.version_of(kind, item)
    assert version is not None
    stamp = spelled(item.get("timestamp"))
    marks = {text(one) for one in ("migration", True, None, stamp, [], {}, *AML.versions)}
    down = AML.down(kind, item, to)
    assert down.version == AML.version_of(kind, down.value) == min(version, to)
    assert down.losses == ()
    assert (leaves(item) - leaves(down.value)).keys() <= marks
    up = AML.up(kind, item, to)
    assert (leaves(item) - leaves(up.value)).keys() <= {text(one) for one in ({}, *AML.versions)}
    AML.down(kind, up.value, version, up.undo)
    assert text(up) == text(AML.up(kind, item, to))
    assert text(item) == before


MARKS: dict[str, list[Any]] = {
    "version": ["1.0.0", "1.1.0", "1.2.0", "2.0.0", 7],
    "metadata": [{}, {"mine": 1}, {"extra": {"mine": 1}}, "mine", OWN | {"version": "1.0.0"},
                 OWN | {"version": "1.2.0"}, OWN | {"version": "7"}],
    "tags": [[], ["a"]],
    "active": [True, False],
    "variations": [[], ["a"]],
    "timestamp": [STAMP, "2026-09-05T07:10:59.953000+00:00", "2026-09-05"],
    "performance": [{"success_rate": 1}],
}  # fmt: skip


def test_the_way_back_is_exact_for_every_mixture_of_marks() -> None:
    """Without chance: each mark of a version absent, or in each form that a step cares about."""
    shapes = [[_ABSENT, *forms] for forms in MARKS.values()]
    for mixture in product(*shapes):
        item = {"id": "x", "pattern": {}} | {
            name: form for name, form in zip(MARKS, mixture, strict=True) if form is not _ABSENT
        }
        before, version = text(item), AML.version_of("pattern", item)
        assert version is not None
        for to in AML.versions[AML.versions.index(version) + 1 :]:
            cast = AML.up("pattern", item, to)
            assert AML.version_of("pattern", cast.value) == to
            back = AML.down("pattern", cast.value, version, cast.undo).value
            assert back == item
            assert text(back) == before


def leaves(value: Any) -> Counter[str]:
    """Every value in it that holds no other, by its text; times in one spelling."""
    found: Counter[str] = Counter()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            waiting.extend(one.values() if isinstance(one, dict) else one)
        else:
            found[text(spelled(one))] += 1
    return found


def spelled(value: Any) -> Any:
    return utc_text(value) or value
