"""What was learned, as the page shows it: models, insights, and a picture of each thing known.

All of it was counted when a model was fitted and lies beside it as plain values; drawing it fits
nothing. Of several scenarios those with the most outcomes are drawn, and all are in the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.limits_learning import PICTURED_SCENARIOS_MAX
from memtend.limits_upkeep import REPORT_ROWS_SHOWN
from memtend.report.chart import Chart, Table, tabled
from memtend.report.learned_bars import gaps, influences
from memtend.report.learned_strategy import drift, regret, reliability, successes
from memtend.report.learned_ttl import frontier, survivals
from memtend.report.texts import clean, count, when

if TYPE_CHECKING:
    from memtend.model.pictures import StrategyPictures
    from memtend.report.facts import ReportFacts

_TITLES: Final = {
    "gaps": "Gap closed",
    "reliability": "Predicted and true",
    "regret": "Cost against the best single strategy",
    "influences": "What decides",
    "successes": "Strategies over time",
    "drift": "Drift",
}
_TTL_TITLES: Final = {"survivals": "When things are read again", "frontier": "Cost and regret"}


class Card(NamedTuple):
    """One picture of the page; `id` is an anchor."""

    id: str
    title: str
    chart: Chart


def strategy_cards(facts: ReportFacts) -> list[Card]:
    """Pictures of the scenarios that were learned from most."""
    shown = facts.strategies[:PICTURED_SCENARIOS_MAX]
    return [
        Card(
            f"learned-{n}-{name}",
            _TITLES[name] if len(shown) == 1 else f"{_TITLES[name]}: {clean(one.scenario)}",
            chart,
        )
        for n, one in enumerate(shown)
        for name, chart in _strategy_charts(one.pictures, f"{n}")
    ]


def _strategy_charts(found: StrategyPictures, name: str) -> Iterator[tuple[str, Chart]]:
    charts = {
        "gaps": gaps(found.gaps, name),
        "regret": regret(found.regret, name) if found.regret else None,
        "reliability": reliability(found.reliability, name) if found.reliability else None,
        "influences": influences(found.influences, name),
        "successes": successes(found.successes, name),
        "drift": drift(found.drift, name) if found.drift else None,
    }
    for what, chart in charts.items():
        if chart is not None:
            yield what, chart


def ttl_cards(facts: ReportFacts) -> list[Card]:
    """Pictures of times to live, where any were learned."""
    if facts.keeping is None:
        return []
    charts = {
        "survivals": survivals(facts.keeping.survivals),
        "frontier": frontier(facts.keeping.frontier),
    }
    return [
        Card(f"keeping-{what}", _TTL_TITLES[what], chart)
        for what, chart in charts.items()
        if chart is not None
    ]


def models(facts: ReportFacts) -> Table | None:
    """Every model that is in use or was refused, the newest first."""
    rows = [
        (clean(one.scenario), one.kind, one.status, when(one.at_ms), count(one.rows), one.why)
        for one in facts.models
    ]
    columns = ("scenario", "of", "state", "since", "learned from", "why")
    return tabled(columns, rows, (4,)) if rows else None


def trials(facts: ReportFacts) -> Table | None:
    """Times to live that are tried, and those that were taken back."""
    rows = [
        (clean(one.namespace), one.before, one.after, one.state, when(one.at_ms), one.why)
        for one in facts.trials
    ]
    columns = ("keys", "kept before", "kept now", "state", "since", "why")
    return tabled(columns, rows, limit=REPORT_ROWS_SHOWN) if rows else None
