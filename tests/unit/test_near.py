"""Texts that are nearly the same, by the words in threes that they share."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from memtend import Labels, Memory
from memtend.alike.groups import Told
from memtend.alike.near import Worded, near, worded
from memtend.clock import ManualClock
from memtend.store import duplicates

WORDS = [f"word{n}" for n in range(200)]


def words(seed: int, count: int = 60) -> list[str]:
    return random.Random(seed).choices(WORDS, k=count)


def changed(of: list[str], places: int) -> list[str]:
    """With so many words replaced, each spoiling three threes."""
    made = of.copy()
    for n in range(places):
        made[3 + n * 7] = f"other{n}"
    return made


def one(seq: int, text: list[str], **more: object) -> Worded:
    said = " ".join(text)
    told = Told(seq, "n", f"k{seq}", False, None, seq, said.encode())
    return worded(told._replace(**more), said.encode())  # type: ignore[arg-type]


def pairs(*group: Worded, similarity: float = 0.8) -> dict[int, int]:
    return {found.seq: found.keeper for found in near(group, similarity)}


def test_a_few_other_words_make_it_nearly_the_same_and_many_do_not() -> None:
    text = words(1)
    [found] = near([one(1, text), one(2, changed(text, 1))], 0.8)
    assert (found.seq, found.keeper, found.keeper_path) == (2, 1, "n/k1")
    assert found.similarity == pytest.approx(55 / 61)
    assert pairs(one(1, text), one(2, changed(text, 5))) == {}


def test_equal_texts_are_no_matter_of_nearness() -> None:
    text = words(1)
    assert pairs(one(1, text), one(2, text)) == {}
    assert pairs(one(1, text), one(2, text), one(3, changed(text, 1))) == {3: 1}


def test_other_signs_between_the_same_words_are_nearly_the_same() -> None:
    text = words(1)
    [found] = near([one(1, text), one(2, [f"{word}," for word in text])], 0.8)
    assert 0.99 < found.similarity < 1


def test_nearness_is_not_handed_on() -> None:
    """Each step is near the one before, and the last is not near the first."""
    steps = [one(n + 1, changed(words(1), n)) for n in range(8)]
    found = pairs(*steps)
    for extra, keeper in found.items():
        assert keeper not in found
        assert pairs(steps[keeper - 1], steps[extra - 1]) == {extra: keeper}
    assert 1 < 8 - len(found) < 8


def test_what_is_pinned_stays_for_the_others() -> None:
    text = words(1)
    assert pairs(one(1, text), one(2, changed(text, 1), pinned=True)) == {1: 2}


def test_without_words_nothing_is_near() -> None:
    assert pairs(one(1, ["+"] * 90), one(2, ["-"] * 90)) == {}


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[Memory]:
    with Memory.open("sqlite://", clock=clock) as opened:
        yield opened


def test_in_a_store_only_within_namespace_kind_and_agent(memory: Memory) -> None:
    text = words(2)
    for agent in ("ada", "bob"):
        for namespace in ("one", "two"):
            labels = Labels(agent=agent)
            memory.put(namespace, f"{agent}-a", {"text": " ".join(text)}, labels=labels)
            near_it = {"text": " ".join(changed(text, 1))}
            memory.put(namespace, f"{agent}-b", near_it, labels=labels)
    found = {one.keeper_path for one in duplicates.near(memory.store, 0.8)}
    assert found == {"one/ada-a", "one/bob-a", "two/ada-a", "two/bob-a"}
