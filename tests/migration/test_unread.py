"""What can be told of a stored item without reading it is never told wrongly."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from memtend.codec.canonical import encode
from memtend.upcast.facts import NOT_AGAIN, NOT_IN_USE, Facts, Said, facts_of
from memtend.upcast.family import AML
from tests.migration.aml_items import sample


def opposed(value: Any) -> Any:
    """The same item with every verdict of it turned round."""
    if isinstance(value, dict):
        return {name: opposed(one) for name, one in value.items()}
    return not value if isinstance(value, bool) else value


@pytest.mark.parametrize("version", AML.versions)
def test_what_is_negative_is_never_passed_over(version: str) -> None:
    """In no sample, nor in its opposite. What is read late is what is read at once."""
    negative = 0
    for kind, item in sample(version).values():
        for value in (item, opposed(item), {**item, "active": False}):
            facts, said = facts_of(kind, value), Said(kind, orjson.loads, encode(value))
            assert facts is not None
            refused = facts.outcome is not None and facts.outcome.would_repeat is False
            unused = facts.worked is False or not facts.active
            assert said.may_say(NOT_AGAIN) or not refused
            assert said.may_say(NOT_IN_USE) or not unused
            assert facts.may_say(NOT_AGAIN)
            assert Facts(*(getattr(said, name) for name in Facts._fields)) == facts
            negative += refused + unused
    assert negative > 24


def test_nothing_is_told_of_what_is_not_stored_plainly() -> None:
    assert Said("pattern", orjson.loads, (3, b"", b"")).may_say(NOT_AGAIN)
    assert not Said("pattern", orjson.loads, b'{"outcome":{"wouldRepeat":true}}').may_say(NOT_AGAIN)
