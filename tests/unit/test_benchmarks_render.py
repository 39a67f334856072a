"""The page of the benchmarks and the file behind it, from fixed figures: nothing is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import results
from tests.benchmarks.harness import Case, Inputs, Row, Side, compared, each, expect, measure
from tests.benchmarks.render import page
from tests.benchmarks.results import Results

DAY = "2026-01-02"
RAW = "raw sqlite3"


BASE = Row("get", 1_000, "µs", 12.34, RAW, 10.0, 1.234, 1.1, 1.5, 1.5, "lower")


def row(name: str = "get", **more: Any) -> Row:
    return BASE._replace(name=name, **more)


def test_a_run_of_one_module_replaces_only_its_rows() -> None:
    """Other modules stay, and so do other sizes of the same one."""
    before = (
        Results({})
        .replacing("store", DAY, [row(size=1_000), row(size=1_000_000)])
        .replacing("sweep", DAY, [row("sweep")])
    )
    after = before.replacing("store", DAY, [row(size=1_000, ours=9.0)])
    found = [(one.module, one.row.size, one.row.ours) for one in after.rows]
    assert found == [("store", 1_000_000, 12.34), ("sweep", 1_000, 12.34), ("store", 1_000, 9.0)]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Round trip through the file, whose rows carry the agreed names."""
    saved = Results({"cpu": "A"}).replacing("store", DAY, [row()])
    results.save(saved, tmp_path / "b.json")
    assert results.load(tmp_path / "b.json") == saved
    agreed = {"name", "size", "ours", "against", "baseline", "ratio", "target", "better"}
    assert agreed <= set(saved.rows[0].as_json())


def test_nothing_measured_yet(tmp_path: Path) -> None:
    assert results.load(tmp_path / "none.json") == Results({})


@pytest.mark.parametrize(
    ("better", "judged", "met"),
    [
        ("lower", "ratio", True),
        ("higher", "ratio", False),
        ("lower", "ours", False),
        ("higher", "ours", True),
    ],
)
def test_a_target_bounds_the_ratio_or_our_own_figure(better: str, judged: str, met: bool) -> None:
    """1.234 and 12.34 against a target of 1.5, from either side."""
    assert row(better=better, judged=judged).met is met
    assert row(better=better, judged=judged, target=None).met is None


def test_the_page_shows_each_row_once_and_each_miss_with_its_reason() -> None:
    rows = [row(), row("put", ratio=8.0, high=9.0, target=2.0), row("put", size=100, target=None)]
    text = page(Results({"cpu": "A", "cores": 2}).replacing("store", DAY, rows))
    assert f"| get | 1,000 | 12.3 µs | {RAW} | 10 µs | 1.23 (1.1 to 1.5) | ≤ 1.5 x | met |" in text
    assert f"| put | 1,000 | 12.3 µs | {RAW} | 10 µs | 8 (1.1 to 9) | ≤ 2 x | **missed** |" in text
    assert f"- **put**, against {RAW}: 8 x at 1,000; target ≤ 2 x." in text
    assert "cpu A; cores 2" in text
    assert text.index("| put | 100 |") < text.index("| put | 1,000 |")


def test_a_ratio_is_formed_within_its_round() -> None:
    """A slow spell that hits both sides of a round leaves the ratio alone."""
    found = compared("x", 0, "µs", [10, 100, 12], RAW, [5, 50, 6], 1.0, "lower")
    assert (found.ratio, found.low, found.high, found.rounds) == (2.0, 2.0, 2.0, 3)


def test_sides_take_turns_and_wrong_answers_are_refused() -> None:
    """Each round starts with another side; the check sees what each side took and answered."""
    order: list[str] = []

    def side(name: str, answer: int, take: int | None = None) -> Side:
        def work(inputs: Inputs) -> list[int]:
            order.append(name)
            return [answer for _ in inputs]

        return Side(name, work, take=take)

    def check(inputs: Inputs, found: object) -> None:
        expect(found, [1 for _ in inputs], "the answer")

    case = Case("x", 0, lambda _: [0, 0, 0], check, rounds=2)
    [measured] = measure(case, side("a", 1), [side("b", 1, take=1)])
    assert order == ["b", "a", "a", "b", "b", "a"]
    assert measured.rounds == 2
    with pytest.raises(AssertionError, match="the answer"):
        measure(case, side("a", 1), [side("b", 2)])


def test_each_keeps_the_answers() -> None:
    assert each(lambda n: n * 2)([1, 2]) == [2, 4]
