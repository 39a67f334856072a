"""`memtend put|get|delete|list|search|increment`, each for real on a scratch store."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend import Labels, Memory, Put
from memtend.cli.values import fields_of, value_of
from tests.fixtures.cli import Cli

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip


@given(JSON)
def test_every_json_value_is_taken_as_it_is(value: Any) -> None:
    """What a program writes as JSON arrives as that value."""
    assert value_of(json.dumps(value), "k", as_text=False) == value


@given(st.text())
def test_with_text_every_text_is_taken_as_it_is(text: str) -> None:
    """`--text` never looks into VALUE. (`-` alone means standard input.)"""
    if text != "-":
        assert value_of(text, "k", as_text=True) == text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(value=JSON)
def test_what_was_put_is_what_get_prints(cli: Cli, value: Any) -> None:
    """put and get are inverse, through a store and two parsers."""
    assert cli("put", "a/b", "k", "-", stdin=json.dumps(value)).status == 0
    assert cli("get", "a/b", "k").json == value


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("hello world", "hello world"),
        ("12", 12),
        ("1e2", 100.0),
        ("true", True),
        ('"12"', "12"),
        ("NaN", "NaN"),
        ("", ""),
        ("ünï ☃", "ünï ☃"),
    ],
)
def test_plain_words_are_text_and_json_is_json(cli: Cli, typed: str, stored: Any) -> None:
    """VALUE is JSON when it reads as JSON, else text."""
    cli("put", "a", "k", typed)
    assert cli("get", "a", "k", "--json").json == stored


@pytest.mark.parametrize("typed", ["{bad", "[1,", '"open', '{"a":1,"a":2}', "[NaN]", "[" * 100_000])
def test_what_begins_like_json_but_is_none_is_refused(cli: Cli, typed: str) -> None:
    """A typing error is not stored as a note, and nothing nested exhausts the stack."""
    ran = cli("put", "a", "k", "-", stdin=typed)
    assert ran.status == 2
    assert "--text" in ran.told
    assert cli("get", "a", "k").status == 17


def test_text_is_stored_and_printed_as_it_is(cli: Cli) -> None:
    cli("put", "a", "k", "{not json", "--text")
    assert cli("get", "a", "k").json == "{not json"
    assert cli("get", "a", "k", "--raw").out == "{not json\n"
    assert cli("get", "a", "k", "--raw", "--json").json == "{not json"


def test_text_from_standard_input_keeps_its_white_space(cli: Cli) -> None:
    cli("put", "a", "k", "-", "--text", stdin=" two\nlines \n")
    assert cli("get", "a", "k").json == " two\nlines \n"


def test_standard_input_that_is_no_text_is_refused(cli: Cli) -> None:
    ran = cli("put", "a", "k", "-", stdin=b"\xff\xfe")
    assert (ran.status, "UTF-8" in ran.told) == (2, True)


def test_a_value_over_the_limit_is_refused_while_it_is_read(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtend.cli.values.VALUE_BYTES_MAX", 10)
    assert cli("put", "a", "k", "-", stdin="12345678901").status == 12


def test_labels_and_ttl_are_stored(cli: Cli) -> None:
    put = ("put", "a", "k", "1", "--ttl", "1d12h", "--kind", "decision", "--session", "s1", "--tag")
    ran = cli(
        *put, "x", "--tag", "y", "--importance", "1", "--confidence", "0", "--pinned", "--json"
    )
    assert ran.json["namespace"] == "a"
    assert ran.json["dot"][1] == 1
    record = cli("get", "a", "k", "--record").json
    labels = record["labels"]
    assert (labels["kind"], labels["session"], labels["tags"]) == ("decision", "s1", ["x", "y"])
    assert (labels["importance"], labels["confidence"], labels["pinned"]) == (1, 0, True)
    assert record["expires_at"] is not None


def test_without_labels_those_that_are_there_stay(cli: Cli) -> None:
    cli("put", "a", "k", "1", "--tag", "x")
    cli("put", "a", "k", "2")
    assert cli("get", "a", "k", "--record").json["labels"]["tags"] == ["x"]


@pytest.mark.parametrize("ttl", ["", "7", "d7", "1h1d", "-1d", "0s", "1e3s", "forever", "9999999w"])
def test_a_ttl_that_is_no_time_is_refused(cli: Cli, ttl: str) -> None:
    ran = cli("put", "a", "k", "1", f"--ttl={ttl}")
    assert (ran.status, "--ttl" in ran.told) == (2, True)


def test_permanent_overrides_the_policy(cli: Cli) -> None:
    cli("put", "a", "k", "1", "--ttl", "permanent")
    assert cli("get", "a", "k", "--record").json["expires_at"] is None


def test_a_repeated_operation_id_changes_nothing(cli: Cli) -> None:
    first = cli("put", "a", "k", "1", "--op-id", "once", "--json").json
    assert cli("put", "a", "k", "2", "--op-id", "once", "--json").json == first
    assert cli("get", "a", "k").json == 1


def test_siblings_are_all_printed(cli: Cli) -> None:
    with Memory.open("memtend.db") as memory:
        memory.put("a", "k", 1, ctx={})
        memory.put("a", "k", 2, ctx={})
    assert [record["value"] for record in cli("get", "a", "k", "--siblings").json] == [1, 2]


@pytest.mark.parametrize("how", [(), ("--record",), ("--siblings",), ("--raw",)])
def test_nothing_visible_is_status_17_and_prints_nothing(cli: Cli, how: tuple[str, ...]) -> None:
    ran = cli("get", "a", "k", *how)
    assert (ran.status, ran.out) == (17, "")


def test_null_is_a_value(cli: Cli) -> None:
    """A stored null is not the same as nothing."""
    cli("put", "a", "k", "null")
    ran = cli("get", "a", "k")
    assert (ran.status, ran.out) == (0, "null\n")


def test_delete_says_whether_there_was_something(cli: Cli) -> None:
    cli("put", "a", "k", "1")
    assert cli("delete", "a", "k", "--json").json["deleted"] is True
    assert cli("delete", "a", "k").status == 17
    cli("put", "a", "k", "1")
    assert "deleted a/k" in cli("delete", "a", "k").told


def test_list_goes_page_by_page(cli: Cli) -> None:
    for key in ("a1", "a2", "b1"):
        cli("put", "n", key, key)
    assert [row["key"] for row in cli("list", "n", "--json").json] == ["a1", "a2", "b1"]
    page = cli("list", "n", "--limit", "2", "--json")
    assert [row["key"] for row in page.json] == ["a1", "a2"]
    assert "--after a2" in page.told
    assert [row["key"] for row in cli("list", "n", "--after", "a2", "--json").json] == ["b1"]
    assert [row["key"] for row in cli("list", "n", "--prefix", "a", "--json").json] == ["a1", "a2"]
    assert "a2" in cli("list", "n").out
    assert cli("list", "elsewhere", "--json").json == []
    assert "nothing" in cli("list", "elsewhere").told


def test_list_without_a_namespace_lists_the_namespaces(cli: Cli) -> None:
    assert cli("list", "--json").json == []
    assert "empty" in cli("list").told
    cli("put", "n/m", "k", "1")
    assert [row["name"] for row in cli("list", "--json").json] == ["n/m"]
    assert "n/m" in cli("list").out


def test_an_agent_lists_only_what_it_may_read(cli: Cli) -> None:
    cli("put", "mine", "k", "1")
    cli("put", "yours", "k", "1")
    cli("grant", "eve", "mine", "read")
    assert [row["name"] for row in cli("list", "--agent", "eve", "--json").json] == ["mine"]
    assert cli("list", "yours", "--agent", "eve").status == 18


def test_search_narrows_by_everything_it_offers(cli: Cli) -> None:
    labels = Labels(
        kind="pattern", agent="bob", session="s1", tags=("t",), importance=0.9, confidence=0.5,
        success_count=3, failure_count=1,
    )  # fmt: skip
    with Memory.open("memtend.db", agent="bob") as memory:
        memory.put_many([Put("n/a", "hit", {"deep": [{"x": 1}], "say": "Hello World"}, labels)])
    cli("put", "n/a", "miss", '{"say": "hello"}')
    conditions = {
        "--namespace": "n/*", "--tag": "t", "--kind": "pattern", "--from-agent": "bob",
        "--session": "s1", "--writer": "bob", "--field": "deep.0.x=1", "--confidence-min": "0.5",
        "--confidence-max": "0.5", "--importance-min": "0.9", "--success-min": "0.75",
        "--success-max": "0.75",
    }  # fmt: skip
    for name, value in conditions.items():
        found = cli("search", name, value, "--json").json
        assert "hit" in [record["key"] for record in found], name
    everything = [part for pair in conditions.items() for part in pair]
    assert len(cli("search", "hello", "world", *everything, "--json").json) == 1
    assert "n/a/hit" in cli("search", "world").out
    assert "1 found" in cli("search", "world").told
    assert "nothing found" in cli("search", "absent").told


def test_a_condition_needs_a_path_and_a_value(cli: Cli) -> None:
    assert cli("search", "--field", "novalue").status == 2
    assert fields_of(["a=b=c", "n=1"]) == {"a": "b=c", "n": 1}


def test_increments_add_up(cli: Cli) -> None:
    assert cli("increment", "n", "tasks").json == 1
    assert cli("increment", "n", "tasks", "--by", "-3", "--json").json["value"] == -2
    assert cli("increment", "n", "tasks", "--op-id", "x").json == -1
    assert cli("increment", "n", "tasks", "--op-id", "x").json == -1
    assert cli("get", "n", "tasks").json == -1


def test_a_counter_and_a_value_are_not_mixed_up(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    assert cli("increment", "n", "k", "--json").error["name"] == "KindMismatch"


def test_stored_text_cannot_steer_a_terminal_or_the_layout(cli: Cli) -> None:
    """Escape codes and markup in a record are shown, not obeyed."""
    cli("put", "n", "k", "\x1b[31m[bold]red[/bold]", "--text")
    shown = cli("list", "n").out
    assert "\x1b" not in shown
    assert "[bold]red[/bold]" in shown
