"""`memtend messages`: the whole life of a message from a shell."""

from __future__ import annotations

import pytest

from tests.fixtures.cli import Cli


def test_a_message_is_sent_received_and_settled(cli: Cli) -> None:
    assert "sent job-1 to bob" in cli(
        "messages", "send", "bob", '{"task": 7}', "--agent", "ada", "--id", "job-1"
    ).told  # fmt: skip
    assert cli("messages", "list", "--json").json[0]["waiting"] == 1
    assert "bob" in cli("messages", "list").out
    [got] = cli("messages", "receive", "--agent", "bob", "--json").json
    assert (got["id"], got["body"], got["sender"]) == ("job-1", {"task": 7}, "ada")
    assert "nothing waits" in cli("messages", "receive", "--agent", "bob").told
    wrong = cli("messages", "ack", "job-1", "--receipt", "x", "--agent", "bob", "--json")
    assert (wrong.status, wrong.error["name"]) == (98, "StaleReceipt")
    given = ("--receipt", got["receipt"], "--agent", "bob")
    assert cli("messages", "nack", "job-1", *given, "--delay", "1h").status == 0
    assert cli("messages", "ack", "job-1", *given).status == 98
    assert "job-1" in cli("messages", "list", "--inbox", "bob").out


def test_what_was_acknowledged_at_once_is_gone(cli: Cli) -> None:
    cli("messages", "send", "bob", "plain words", "--agent", "ada", "--topic", "news")
    found = cli("messages", "receive", "--agent", "bob", "--topic", "news", "--ack")
    assert "plain words" in found.out
    assert "receipt" not in found.out
    assert "every inbox is empty" in cli("messages", "list").told
    assert cli("messages", "list", "--agent", "bob", "--json").json == []
    missing = cli("messages", "ack", "nothing", "--receipt", "x", "--agent", "bob")
    assert missing.status == 101


def test_dead_letters_are_seen_tried_again_and_let_go(cli: Cli) -> None:
    cli("messages", "send", "bob", "1", "--agent", "ada", "--tries", "1", "--id", "bad")
    [got] = cli("messages", "receive", "--agent", "bob", "--json").json
    given = ("--receipt", got["receipt"], "--agent", "bob", "--json")
    assert cli("messages", "nack", "bad", *given).json == {"id": "bad", "given_back": True}
    assert [one["id"] for one in cli("messages", "dead", "--inbox", "bob", "--json").json] == [
        "bad"
    ]
    assert "1/1" in cli("messages", "dead", "--agent", "bob").out
    assert "dead letters" in cli("health").out
    assert cli("messages", "retry", "bad", "--inbox", "bob").status == 0
    assert cli("messages", "retry", "bad", "--inbox", "bob").status == 101
    [got] = cli("messages", "receive", "--agent", "bob", "--json").json
    cli("messages", "nack", "bad", "--receipt", got["receipt"], "--agent", "bob")
    assert cli("messages", "discard", "bad", "--agent", "bob", "--json").json["discarded"]
    assert "no dead letters" in cli("messages", "dead", "--agent", "bob").told
    assert cli("messages", "purge", "--json").json == {"deliveries": 0, "messages": 0}


def test_a_swarm_hears_a_broadcast(cli: Cli) -> None:
    assert cli("messages", "send", "hive", "go", "--broadcast", "--agent", "ada").status == 0
    assert "every inbox is empty" in cli("messages", "list").told


@pytest.mark.parametrize(
    "given",
    [
        ("send", "bob", "1", "--ttl", "soon"),
        ("receive", "--for", "long"),
        ("receive", "--wait", "long"),
        ("send", "bob", "{broken"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(cli: Cli, given: tuple[str, ...]) -> None:
    assert cli("messages", *given, "--agent", "ada").status == 2
