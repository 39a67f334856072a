"""What a context becomes: features that carry over, and everything else told and left out."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import numpy as np
import pytest

from memtend.learn.features import Encoder
from memtend.learn.situations import NEVER
from memtend.limits_learning import CATEGORIES_MAX, DROPPED_TOLD_MAX, FEATURES_MAX

RNG = np.random.default_rng(3)
N = 200


def contexts(**fields: Any) -> list[dict[str, Any]]:
    """N of them; a field is a function of the number."""
    made = [{name: of(number) for name, of in fields.items()} for number in range(N)]
    return [
        {name: value for name, value in context.items() if value is not None} for context in made
    ]


def why(encoder: Encoder, name: str) -> str:
    return dict(encoder.dropped)[name]


def test_kinds_become_columns_with_names_that_people_can_read() -> None:
    encoder = Encoder.fit(
        contexts(
            files=lambda n: n % 9,
            size=lambda n: str(n % 7 + 0.5),
            lang=lambda n: ("py", "go", "c")[n % 3],
            ready=lambda n: n % 2 == 0,
            skills=lambda n: ["shell", "web"][: n % 5 % 3],
            due=lambda n: f"2026-11-{n % 20 + 1:02}T{n % 24:02}:00:00+00:00",
            repo=lambda n: {"age": n % 5 if n % 4 else None},
        )
    )
    assert encoder.names == (
        "due: hour", "due: weekday", "files", "lang = c", "lang = go", "lang = py", "ready",
        "size", "skills: how many", "skills has shell", "skills has web", "repo.age",
    )  # fmt: skip
    row = encoder.transform(
        {"files": 3, "size": 2, "lang": "go", "skills": ["web", {}], "due": "2026-11-22"}
    )
    assert row[:-1].tolist()[:6] == [0.0, 6.0, 3.0, 0.0, 1.0, 0.0]
    assert np.isnan(row[6])
    assert row[7:11].tolist() == [2.0, 2.0, 0.0, 1.0]
    assert np.isnan(row[11])


IDENTIFIERS = {
    "uuid": lambda n: str(uuid.UUID(int=n * 7919 << 64)),
    "digest": lambda n: hashlib.sha256(b"%d" % n).hexdigest(),
    "number": lambda n: str(10**14 + n * 7_919_000_017 % 10**13),
    "run_id": lambda n: n * 7_919 % 100_003,
    "sequence": lambda n: 1_000 + 3 * n,
    "title": lambda n: f"do the {n}th thing",
    "traceId": lambda n: f"t{n}",
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_what_names_one_thing_is_no_feature(name: str) -> None:
    encoder = Encoder.fit(contexts(**{name: IDENTIFIERS[name]}, files=lambda n: n % 9))
    assert encoder.names == ("files",)
    assert (
        "unique" in why(encoder, name)
        or "identifier" in why(encoder, name)
        or ("counts up" in why(encoder, name))
    )


def test_names_that_come_again_are_features_though_they_look_like_identifiers() -> None:
    agents = [str(uuid.UUID(int=n * 7919 << 64)) for n in range(4)]
    assert len(Encoder.fit(contexts(agent_id=lambda n: agents[n % 4])).names) == 4


def test_moments_become_the_hour_and_the_weekday() -> None:
    encoder = Encoder.fit(contexts(created=lambda n: 1_790_000_000 + n * 5_000))
    assert encoder.names == ("created: hour", "created: weekday")


def test_constants_twins_and_what_is_known_afterwards_are_told() -> None:
    encoder = Encoder.fit(
        contexts(
            host=lambda n: "one",
            files=lambda n: n % 9,
            same=lambda n: n % 9,
            rare=lambda n: 1 if n == 5 else None,
            duration_s=lambda n: n % 11,
            deep=lambda n: {"a": {"b": {"c": {"d": {"e": n}}}}},
        ),
        never=NEVER,
    )
    assert encoder.names == ("files",)
    assert why(encoder, "host") == "the same in every context"
    assert why(encoder, "same") == "says the same as files"
    assert why(encoder, "rare") == "in 1 of 200 contexts"
    assert why(encoder, "duration_s") == "by its name known only when a task has ended"
    assert "nested" in why(encoder, "deep.a.b.c.d")


def test_rare_and_unseen_categories_are_one() -> None:
    encoder = Encoder.fit(contexts(lang=lambda n: ("py", "go")[n % 2] if n % 50 else f"rare{n}"))
    assert encoder.names == ("lang: another", "lang = go", "lang = py")
    assert encoder.transform({"lang": "never seen"}).tolist() == [1.0, 0.0, 0.0]
    assert encoder.transform({}).tolist() == [0.0, 0.0, 0.0]


def test_there_are_so_many_columns_at_most() -> None:
    many = [{f"k{k}": int(RNG.integers(5)) for k in range(700)} for _ in range(30)]
    many += [{f"one-off-{n}-{k}": 1 for k in range(300)} for n in range(30)]
    encoder = Encoder.fit(many)
    assert len(encoder.names) == FEATURES_MAX
    assert len(encoder.dropped) == DROPPED_TOLD_MAX + 1
    words = Encoder.fit(contexts(lang=lambda n: f"l{n % 60}"))
    assert len(words.names) == CATEGORIES_MAX + 1


def test_a_hostile_context_is_read_at_no_cost_and_without_harm() -> None:
    encoder = Encoder.fit(contexts(files=lambda n: n % 9, lang=lambda n: ("py", "go")[n % 2]))
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"lang": deep}
    hostile: dict[Any, Any] = {f"k{n}": "x" * 100 for n in range(10_000)}
    hostile |= {"files": float("inf"), "lang": deep, 7: "seven", "x" * 100_000: 1}
    assert encoder.transform(hostile).tolist()[0] == 1e30
    nothing: list[Any] = [float("nan"), 10**400, "nan", [], {}, "1_0"]
    for value in nothing:
        assert np.isnan(encoder.transform({"files": value})[0])
    assert encoder.transform({"files": "-1e999"})[0] == -1e30
