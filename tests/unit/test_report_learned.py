"""What was learned, on the page: a picture of each thing known, a word where nothing is."""

from __future__ import annotations

import re

import pytest

from memtend.model import pictures as p
from memtend.report import facts as f
from memtend.report.learned import strategy_cards, ttl_cards
from memtend.report.learned_strategy import drift, regret, reliability, successes
from memtend.report.learned_ttl import frontier, survivals
from memtend.report.page import render
from tests.fixtures.pictures import (
    STRATEGIES,
    ago,
    near,
    share,
    strategy_pictures,
    ttl_pictures,
)
from tests.fixtures.reports import empty, tended


def texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def told(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_each_thing_that_is_known_has_its_picture() -> None:
    titles = [card.title for card in (*strategy_cards(tended()), *ttl_cards(tended()))]
    assert titles == [
        "Gap closed", "Cost against the best single strategy", "Predicted and true",
        "What decides", "Strategies over time", "Drift", "When things are read again",
        "Cost and regret",
    ]  # fmt: skip
    assert strategy_cards(empty()) == ttl_cards(empty()) == []
    assert strategy_cards(empty(strategies=(f.Strategies("s", p.StrategyPictures()),))) == []
    assert ttl_cards(empty(keeping=p.TtlPictures())) == []


def test_pictures_survive_the_registry() -> None:
    """They lie there as JSON; what is none of this form is none."""
    made = strategy_pictures()
    assert p.pictures_in({p.PICTURES: made.model_dump(mode="json")}, p.StrategyPictures) == made
    assert p.pictures_in({}, p.StrategyPictures) is None
    assert p.pictures_in({p.PICTURES: {"new": 1}}, p.TtlPictures) is None
    assert p.pictures_in({p.PICTURES: [1]}, p.TtlPictures) is None


def test_lines_are_told_apart_without_colour() -> None:
    found = strategy_pictures().successes
    chart = successes(found, "t")
    assert chart is not None
    assert set(STRATEGIES) <= set(texts(chart.svg))
    dashes = set(re.findall(r"stroke-dasharray: ([^;\"]+)", chart.svg))
    assert len(dashes) >= len(STRATEGIES) - 1


def test_what_is_off_the_line_is_said() -> None:
    bins = (
        p.Bin(predicted=0.5, observed=share(0.5), count=10),
        p.Bin(predicted=0.9, observed=share(0.3), count=30),
    )
    said = reliability(p.Reliability(bins=bins, error=0.45), "t").said
    assert "off by 45% on average, in 40 outcomes" in said
    assert "1 of 2 groups" in said


@pytest.mark.parametrize("oracle", [None, 6.0])
def test_a_curve_says_what_is_saved_and_how_surely(oracle: float | None) -> None:
    spent = [
        p.Spent(at_ms=ago(1), tasks=5, learned=near(4.0), single=5.0, oracle=oracle and 3.0),
        p.Spent(at_ms=ago(0), tasks=10, learned=near(8.0, 1.0), single=10.0, oracle=oracle),
    ]
    chart = regret(p.RegretCurve(single="solo", points=tuple(spent)), "t")
    assert "solo would have cost 10.0, following the model 8.0: 2.0 saved" in chart.said
    assert "between 1.0 and 3.0" in chart.said
    assert ("50% of what the best strategy" in chart.said) is (oracle is not None)
    assert ("bound" in texts(chart.svg)) is (oracle is not None)
    assert chart.table.rows[1][-1] == ("unknown" if oracle is None else "6.0")


def test_drift_is_told_with_its_beginning() -> None:
    still = p.Drift(name="cost", limit=3.0, points=((ago(2), 1.0), (ago(1), 2.0)))
    assert "It was never over it." in drift(still, "t").said
    moved = p.Drift(name="cost", limit=1.5, points=still.points)
    chart = drift(moved, "t")
    assert "over the limit first on 2025-06-14" in chart.said
    assert chart.table.rows[0][-1] == "OVER"
    assert "over it" in texts(chart.svg)
    once = p.Drift(name="c", limit=0.0, points=((ago(1), 0.0),))
    assert "never" in drift(once, "t").said


def test_times_are_marked_on_their_curves() -> None:
    chart = survivals(ttl_pictures().survivals)
    assert chart is not None
    assert {"session/*", "kept now", "proposed", "1 d"} <= set(texts(chart.svg))
    assert "session/* is kept for ever and proposed to be kept 4 h" in chart.said


def test_the_way_that_is_proposed_stands_out() -> None:
    chart = frontier(ttl_pictures().frontier)
    assert chart is not None
    assert {"by class", "clairvoyant", "today", "proposed"} <= set(texts(chart.svg))
    assert "today it is" in chart.said
    assert {row[-1] for row in chart.table.rows} == {"", "proposed", "today"}
    alone = frontier((p.Frontier(line="all", name="all", stored=0.0, missed=0.0),))
    assert alone is not None
    assert "proposed" not in alone.said


def test_an_empty_store_is_told_what_to_do() -> None:
    page = told(render(empty(outcomes=7, accesses=1)))
    assert "7 outcomes to learn from" in page
    assert "memtend learn fit" in page
    assert "from 1 sampled access." in page
    unread = told(render(empty(unread=(f.Unread("learned", "gone"),))))
    assert "Nothing has been learned yet" not in unread
    assert "No time to live has been learned" not in unread
    assert unread.count("This could not be read.") == 2


def test_each_scenario_has_its_own_pictures_up_to_three() -> None:
    moved = p.StrategyPictures(drift=strategy_pictures().drift)
    page = render(empty(strategies=tuple(f.Strategies(f"s{n}", moved) for n in range(5))))
    assert "Drift: s2" in page
    assert "Drift: s3" not in page
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_name_that_matplotlib_would_leave_out_is_in_the_legend() -> None:
    chart = successes(strategy_pictures(("_hidden", "seen")).successes, "t")
    assert chart is not None
    assert any("_hidden" in text for text in texts(chart.svg))


def test_models_and_trials_are_listed_with_their_reasons() -> None:
    known = tended()
    page = told(render(empty(models=known.models, trials=known.trials)))
    assert "15% less cost, surely" in page
    assert "not surely better" in page
    assert "regret 1.2%" in page
