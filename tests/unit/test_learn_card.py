"""The card says all that there is to say, and nothing that memory made up comes to life in it."""

from __future__ import annotations

import re

import pytest

from memtend.learn.card import card_of, code, prose
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.recommender import FittedRecommender, fit_recommender
from memtend.model.learnpolicy import LearnPolicy
from tests.fixtures.outcomes import outcomes

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](https://evil.example)",
    "a | b\n# heading\n| --- |",
    "``` `` `",
    "`; rm",
    "\u202egnp.exe",
    "![x](http://evil.example/x.png)",
    "**bold** _it_ ~~no~~ $x$",
    "www.evil.example a@evil.example",
    "x" * 500,
    "",
)


def fitted(rename: dict[str, str] | None = None, *, least: int = 80) -> FittedRecommender:
    policy = LearnPolicy(writers_excluded=("mallory",), seed=5, outcomes_min=least)
    rows = outcomes(120)
    if rename:
        rows = [
            row._replace(
                strategy=rename.get(str(row.strategy), row.strategy),
                task_type=rename.get(row.task_type, row.task_type),
                writer=rename.get(str(row.writer), row.writer),
                context={rename.get(name, name): value for name, value in row.context.items()},
            )
            for row in rows
        ]
    return fit_recommender(OutcomeTable.of(rows, policy), policy)


def test_it_tells_what_the_model_is_made_of() -> None:
    card = card_of(fitted())
    for heading in ("Decision", "Data", "Figures", "Features", "Limits", "Lineage"):
        assert f"\n## {heading}\n" in card
    assert "Excluded writer `mallory`: " in card
    assert "Not `context.trace_id`: an identifier" in card
    assert "Seed 5;" in card
    assert "`memtend learn rollback`" in card
    assert card_of(fitted(least=1_000)) == card_of(fitted(least=1_000))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_a_name(name: str) -> None:
    shown = code(name)
    assert "\n" not in shown
    assert "|" not in shown
    assert "\u202e" not in shown
    ticks = max(map(len, re.findall("`+", shown)), default=0)
    if name.strip():
        assert shown.startswith("`" * ticks)
        assert shown.endswith("`" * ticks)
        assert len(re.findall(f"(?<!`){'`' * ticks}(?!`)", shown)) == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sentence_is_shown_letter_by_letter(name: str) -> None:
    shown = prose(f"before {name} after")
    assert "\n" not in shown
    bare = re.sub(r"(`+) ?.*?\1", "", re.sub(r"\\.", "", shown))
    assert not re.search(r"[<>*\[\]|~$]|://|www\.|@", bare)


def test_hostile_names_stay_in_their_spans() -> None:
    names = ("parallel", "code", "ada", "bytes")
    card = card_of(fitted(dict(zip(names, HOSTILE, strict=False))))
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\.", "", card))
    assert "<img" not in outside
    assert "](" not in outside
    assert "\n# heading" not in card
    lines = [line for line in outside.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} <= {3, 4}
