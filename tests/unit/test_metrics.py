"""Figures: what they are called and made of, how they are written, which of them are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from memtend.limits_upkeep import METRIC_FULL_MS, METRIC_HOURLY_MS, METRIC_KEEP_MS
from memtend.metrics.catalogue import HELP, figure
from memtend.metrics.exposition import exposition
from memtend.metrics.facts import Drilled, Files, MetricFacts, Missed, PeerSeen, Saved, Waits
from memtend.metrics.figure import Figure, value_of
from memtend.metrics.figures import figures_of
from memtend.metrics.thinning import DAY_MS, HOUR_MS, thinned
from memtend.model.latency import OpLatency
from memtend.model.message import MessageFacts
from memtend.model.series import read_series, series_of
from memtend.model.stats import Archived, Pressure, Share, Stats

NOBODY = MetricFacts(
    stats=Stats(
        records=0, bytes=0, file_bytes=4_096, changes=0, namespaces=(), agents=(), sessions=(),
        pressure=(),
    ),
    files=Files(),
    kinds={},
    compression=None,
    store_quota_bytes=None,
    latencies=(),
    caches={},
    waits=Waits(0, 0, 0, 0, 0, 0, MessageFacts(0, 0, 0, None, 0.0), None),
    backup=None,
    drill=None,
    peers=(),
    ghosts=0,
    missed=(),
    alerts={},
)  # fmt: skip
EVERYTHING = NOBODY._replace(
    stats=Stats(
        records=10,
        bytes=1_000,
        file_bytes=4_096,
        changes=12,
        namespaces=(Share(name="a", records=4, bytes=400), Share(name="b", records=6, bytes=600)),
        agents=(Share(name="ada", records=10, bytes=1_000),),
        sessions=(),
        tiers=(Share(name="hot", records=10, bytes=1_000),),
        archived=Archived(records=1, archive_bytes=50, saved_bytes=70),
        pressure=(Pressure(scope="agent", name="ada", bytes=1_000, limit_bytes=1_100, share=0.9),),
    ),
    files=Files(100, 5_000),
    kinds={"note": (10.0, 1_000.0)},
    compression=2.5,
    store_quota_bytes=10_000,
    latencies=(OpLatency("get", "hot", 610, 0.01, 0.02, 0.03),),
    caches={"archive": (3, 1)},
    waits=Waits(1, 2, 3, 4, 5, 6, MessageFacts(1, 7, 8, 9, 0.5), 10_000, 11),
    backup=Saved(60_000, 500, 10, 0.5, 1_000.0),
    drill=Drilled(120_000, 0.3, 4.0),
    peers=(PeerSeen("north", 9_000, 2),),
    ghosts=3,
    missed=(Missed("time.unused-patterns", 10, 1), Missed("space", 0, 0)),
    alerts={"warning": 2},
    health_score=97,
    health_checks={"ok": 20, "warning": 1},
    models={"build": 5_000},
)


def test_every_figure_of_the_catalogue_is_made_of_something() -> None:
    assert {one.name for one in figures_of(EVERYTHING)} == set(HELP)


def test_every_figure_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "metrics.md").read_text()
    assert [name for name in HELP if f"`{name}`" not in page] == []


def test_what_is_not_known_has_no_figure() -> None:
    found = figures_of(NOBODY)
    names = {one.name for one in found}
    assert "memtend_records" in names
    assert all(value_of(found, name) is None for name in HELP if "backup" in name)
    assert not {"memtend_compression_ratio", "memtend_health_score", "memtend_drill_age_s"} & names
    assert not {"memtend_latency_ms", "memtend_cache_hit_share", "memtend_regret_share"} & names


def test_a_rule_that_has_pruned_nothing_has_no_regret() -> None:
    found = figures_of(EVERYTHING)
    assert value_of(found, "memtend_regret_share", rule="time.unused-patterns") == 0.1
    assert value_of(found, "memtend_regret_share", rule="space") is None


def test_a_cache_that_nobody_read_has_no_hit_rate() -> None:
    found = figures_of(EVERYTHING._replace(caches={"a": (0, 0), "b": (3, 1)}))
    assert value_of(found, "memtend_cache_hit_share", cache="a") is None
    assert value_of(found, "memtend_cache_hit_share", cache="b") == 0.75
    assert value_of(found, "memtend_cache_hit_share", cache="server") is None


def test_of_names_the_largest_are_told() -> None:
    found = figures_of(EVERYTHING, names_max=1)
    shown = {one.label("namespace") for one in found if one.name == "memtend_namespace_bytes"}
    assert shown == {"b"}


def test_figures_of_one_name_stand_together() -> None:
    names = [one.name for one in figures_of(EVERYTHING)]
    starts = [name for before, name in zip(["", *names], names, strict=False) if name != before]
    assert len(starts) == len(set(starts))


def test_prometheus_reads_what_is_written() -> None:
    odd = 'a"b\\c\nd{}=,'
    found = [*figures_of(EVERYTHING), figure("memtend_alerts", 1, level=odd)]
    read = text_string_to_metric_families(exposition(found).decode())
    samples = [(s.name, s.labels, s.value) for one in read for s in one.samples]
    assert samples == [(one.name, dict(one.labels), one.value) for one in found]


def test_what_only_grows_is_a_counter() -> None:
    kinds = {one.name: one.type for one in text_string_to_metric_families(
        exposition(figures_of(EVERYTHING)).decode())}  # fmt: skip
    assert kinds["memtend_changes"] == "counter"  # the parser leaves `_total` out
    assert kinds["memtend_records"] == "gauge"


@given(st.lists(st.tuples(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text()), max_size=3))
def test_a_series_is_read_as_it_was_written(labels: list[tuple[str, str]]) -> None:
    one = Figure("memtend_x", tuple(labels), 1.0)
    assert read_series(one.series) == ("memtend_x", tuple(labels))


@pytest.mark.parametrize("text", ['memtend_x{agent="a}', "memtend_x{", 'x{a="b" c="d"}'])
def test_what_is_no_series_is_a_name(text: str) -> None:
    assert read_series(text) == (text, ())
    assert series_of(text) == text


NOW = 10_000 * DAY_MS
AGES = st.lists(st.integers(0, METRIC_KEEP_MS + DAY_MS), max_size=300)


@given(AGES)
def test_thinning_twice_is_thinning_once(ages: list[int]) -> None:
    times = sorted({NOW - age for age in ages})
    kept = sorted(set(times) - set(thinned(times, NOW)))
    assert thinned(kept, NOW) == []


@given(AGES)
def test_the_last_two_days_stay_whole_and_older_slots_keep_their_last(ages: list[int]) -> None:
    times = sorted({NOW - age for age in ages})
    gone = set(thinned(times, NOW))
    assert all(NOW - at >= METRIC_FULL_MS for at in gone)
    for width, newest, oldest in (
        (HOUR_MS, METRIC_FULL_MS, METRIC_HOURLY_MS),
        (DAY_MS, METRIC_HOURLY_MS, METRIC_KEEP_MS),
    ):
        here = [at for at in times if newest <= NOW - at < oldest]
        assert [at for at in here if at not in gone] == sorted(
            {at // width: at for at in here}.values()
        )


@pytest.mark.parametrize(("age_ms", "stays"), [(METRIC_KEEP_MS - 1, True), (METRIC_KEEP_MS, False)])
def test_a_point_ends_after_two_years(age_ms: int, stays: bool) -> None:
    assert (thinned([NOW - age_ms], NOW) == []) is stays
