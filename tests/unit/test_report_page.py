"""The page as a whole: what stands in it for every kind of store, and what never does."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from memtend.report import facts as f
from memtend.report.drawing import draw
from memtend.report.expiring import dues
from memtend.report.page import MARK, TITLES, render
from memtend.report.palette import COLOURS, FILLS, PAIRS
from memtend.report.treemap import Box, areas, boxes
from tests.fixtures.markup import HOSTILE
from tests.fixtures.reports import MIB, NOW_MS, ago, empty, hostile, tended

CHARTS = 7 + 8
PLAIN = "name"


class Seen(HTMLParser):
    """Counts elements and attributes; gathers ids, addresses and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes = Counter[str](), Counter[str]()
        self.ids, self.addresses, self.texts = list[str](), list[str](), list[str]()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes[name] += 1
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action", "data", "srcdoc"):
                self.addresses.append(value or "")
            if name in ("style", "clip-path", "fill"):
                self.addresses += re.findall(r"url\(([^)]*)\)", value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def page() -> str:
    return render(tended())


@pytest.fixture(scope="module")
def full(page: str) -> Seen:
    return Seen(page)


def test_every_section_is_there_whatever_the_store(full: Seen) -> None:
    for seen in (full, Seen(render(empty()))):
        for name, title in TITLES.items():
            assert name in seen.ids
            assert f"#{name}" in seen.addresses
            assert title in seen.text


def test_a_table_stands_beside_every_chart(page: str, full: Seen) -> None:
    assert full.tags["svg"] == full.tags["figure"] == CHARTS
    for figure in re.findall(r"<figure.*?</figure>\s*(.{30})", page, re.DOTALL):
        assert figure.startswith("<details><summary>The figures")
    assert all(
        label.strip() for label in re.findall(r'<figure role="img" aria-label="([^"]*)"', page)
    )


def test_it_needs_nothing_from_anywhere(page: str, full: Seen) -> None:
    assert page.startswith(MARK)
    assert not full.tags.keys() & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert all(address.startswith("#") for address in full.addresses)
    assert {one.removeprefix("#") for one in full.addresses} <= set(full.ids)
    assert len(full.ids) == len(set(full.ids))
    assert not [name for name in full.attributes if name.startswith("on")]
    assert "#0a0b" not in page, "a stand-in was left without its colour"


def test_an_empty_store_says_so_everywhere() -> None:
    seen = Seen(render(empty()))
    assert seen.tags["svg"] == 0
    for said in (
        "Nothing is stored", "No alert stands", "no history yet", "No record has a deadline",
        "no backup that this store knows of", "Nothing has been learned yet", "100 of 100",
        "1 check found nothing wrong", "No pruned record has been missed",
    ):  # fmt: skip
        assert said in seen.text


def test_a_huge_store_stays_on_its_page() -> None:
    many = tuple(f.Sized(f"n/{n}", n, n * MIB) for n in range(20_000))
    shares = tuple(f.KindShare(f"a{n % 900}", f"k{n % 70}", n, n * 1000) for n in range(9_000))
    facts = tended(
        records=10**10, bytes=10**13, namespaces=many, agents=many,
        kinds=f.Kinds(shares, 2_000, 10**10),
        alarms=tuple(f.Alarm("error", "r", f"s{n}", "open", "f", "h", ago(1)) for n in range(500)),
        growth=tuple(f.Point(ago(90 - n / 100), n * 10**9) for n in range(9_000)),
    )  # fmt: skip
    page = render(facts)
    assert len(page) < MIB
    assert "and 19,988 smaller" in page
    assert "n/19999" in page
    assert "9.1 TiB" in page


@pytest.mark.parametrize(
    "changed",
    [
        {"growth": (f.Point(ago(1), 0.0), f.Point(ago(0), 0.0))},
        {"scores": (f.Point(ago(0), 3.0), f.Point(ago(0), 3.0))},
        {"backups": (f.Backup(ago(0), "p", 0, 0, None),), "drills": ()},
        {"prunes": (f.Prune(ago(400), "p", 5, 5, None),), "moves": ()},
        {"kinds": f.Kinds((f.KindShare("", "k", 1, 0),), 1, 1)},
        {"kinds": f.Kinds((f.KindShare("", "k", 1, 1), f.KindShare("b", "k", 1, 10**12)), 2, 2)},
        {"tiers": (f.Sized("hot", 1, 0),)},
        {"checks": (), "score": None, "level": None},
        {"saved": f.Saved(3, 10, 30, 40), "compression": None},
    ],
)
def test_odd_figures_are_drawn_too(changed: dict[str, Any]) -> None:
    assert Seen(render(empty(records=5, **changed))).tags["h1"] == 1


def test_a_drill_that_failed_is_said_in_words(full: Seen) -> None:
    assert "The last drill FAILED" in full.text


def test_a_hint_shows_commands_as_such_and_nothing_else() -> None:
    odd = ("run `memtend sweep` <b>", "one ` alone <b>", "`</code><script>` <b>")
    checks = tuple(f.Checked("c", "warning", "fact", hint, 1) for hint in odd)
    page = render(empty(checks=checks))
    assert "run <code>memtend sweep</code> &lt;b&gt;" in page
    assert "one ` alone &lt;b&gt;" in page
    assert "<code>&lt;/code&gt;&lt;script&gt;</code>" in page


def test_hostile_names_change_no_element_and_no_attribute() -> None:
    """A page of hostile names has exactly the elements of the same page with plain ones."""
    plain = Seen(render(hostile([f"{PLAIN}-{n:03d}" for n in range(len(HOSTILE))])))
    attacked = Seen(render(hostile(HOSTILE)))
    boxes_apart = {"text", "code"}  # as many letters as there is room for; commands in hints
    for tag in plain.tags.keys() | attacked.tags.keys():
        if tag not in boxes_apart:
            assert attacked.tags[tag] == plain.tags[tag], tag
    assert attacked.attributes.keys() == plain.attributes.keys()
    assert all(address.startswith("#") for address in attacked.addresses)
    assert all(text.isprintable() for line in attacked.texts for text in line.splitlines())


def test_what_turns_text_around_is_shown_by_number() -> None:
    page = render(empty(namespaces=(f.Sized("a\u202eb\x07", 1, 1),)))
    assert "a\\u202eb\\u0007" in page
    assert "\u202e" not in page


def test_a_name_that_looks_like_a_formula_is_drawn_as_it_is() -> None:
    name = r"$\frac{a}{"

    def paint(axes: Any) -> None:
        axes.text(0, 0, name)

    assert name in draw("t", 1.0, paint)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_text_stands_out(text: str, ground: str, dark: bool) -> None:
    """WCAG 2: at least 4.5 to 1."""
    a, b = sorted(luminance(COLOURS[role][dark]) for role in (text, ground))
    assert (b + 0.05) / (a + 0.05) >= 4.5


def test_areas_are_as_large_as_what_they_stand_for() -> None:
    found = areas([f.KindShare(f"a{n}", f"k{m}", 1, 10 + n) for n in range(30) for m in range(12)])
    assert len(found) == 12
    assert sum(area.bytes for area in found) == sum(12 * (10 + n) for n in range(30))
    assert all(sum(held for _, held in area.parts) == area.bytes for area in found[:-1])
    drawn = list(boxes([area.bytes for area in found], Box(0, 0, 300, 200)))
    scale = 300 * 200 / sum(area.bytes for area in found)
    for area, box in zip(found, drawn, strict=True):
        assert box.width * box.height == pytest.approx(area.bytes * scale, rel=1e-6)
    assert len(FILLS) == len(set(FILLS))


def ticks(section: str, page: str) -> list[str]:
    """What stands beside the lines of a chart."""
    drawing = re.search(rf'id="{section}".*?</svg>', page, re.S)
    assert drawing
    return re.findall(r"<text[^>]*>([^<]+)</text>", drawing[0])


@pytest.mark.parametrize(("most", "lines"), [(1, "01"), (2, "012"), (3, "01234"), (5, "036")])
def test_a_line_of_a_chart_stands_where_it_says(most: int, lines: str) -> None:
    """One at 1.5 would be called 2."""
    facts = empty(records=most, expiry=dues(NOW_MS, [(most, True), *[(0, True)] * 8]))
    assert [one for one in ticks("expiry", render(facts)) if one.isdigit()][: len(lines)] == [
        *lines
    ]


@pytest.mark.parametrize("days", [0.001, 1, 40, 900])
def test_no_two_times_of_an_axis_look_alike(days: float) -> None:
    two = tuple(f.Backup(ago(at), "p", 1, 1, None) for at in (days, 0.0))
    times = ticks("backups", render(empty(backups=two)))[:4]
    assert len(set(times)) == 4
    assert ("2023" in times[1]) is (days == 900)


def test_the_score_of_the_history_is_told_as_of_its_time() -> None:
    page = Seen(render(empty(score=50, scores=(f.Point(ago(3), 90.0), f.Point(ago(2), 95.0)))))
    assert "95 of 100 when it was last recorded, 2025-06-13" in page.text


def test_an_undone_prune_took_nothing() -> None:
    two = (f.Prune(ago(2), "a", 7, 7, None), f.Prune(ago(1), "b", 5, 5, ago(0)))
    text = Seen(render(empty(prunes=two))).text
    assert "1 prune took 7 records" in text
    assert "Undone since, and not counted: 1 prune." in text


def test_what_would_be_saved_of_time_is_saved_each_day() -> None:
    chance = f.Chance("recall", "", None, 90_000.0, "memtend archive recall")
    assert "90.0 s a day" in Seen(render(empty(chances=(chance,)))).text


def test_what_could_not_be_read_is_not_called_none() -> None:
    parts = ("alerts", "histories", "speeds", "expiry", "prunes", "archive", "backups")
    text = Seen(render(empty(unread=tuple(f.Unread(one, "gone") for one in parts)))).text
    for said in ("No alert", "no history", "has a deadline", "No pruned", "no backup", "No oper"):
        assert said not in text
    assert text.count("This could not be read.") == 8
    moved = tended(prunes=(), unread=(f.Unread("prunes", "gone"),))
    assert "The archive holds 7,020 records of its last 12 runs." in Seen(render(moved)).text


def test_no_more_than_everything_is_taken_off() -> None:
    bad = tuple(f.Checked(name, "critical", "", "", 60) for name in ("structure", "integrity"))
    assert "take 100 off the score of 100" in Seen(render(empty(score=0, checks=bad))).text
