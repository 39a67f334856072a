"""`memtend grant|revoke|grants|quarantine|audit`: who may do what, and who did what."""

from __future__ import annotations

import sqlite3

import pytest

from tests.fixtures.cli import Cli


def test_grants_come_and_go(cli: Cli) -> None:
    assert cli("grants", "--json").json == []
    assert "no grants" in cli("grants").told
    assert "first grant" in cli("grant", "bob", "swarm/**", "write").told
    assert cli("grant", "eve", "swarm/a", "--json").json["right"] == "read"
    assert "swarm/**" in cli("grants").out
    assert len(cli("grants", "--json").json) == 2
    assert cli("revoke", "bob", "swarm/**", "--json").json == {
        "agent": "bob", "pattern": "swarm/**", "revoked": 1, "left": 1,
    }  # fmt: skip
    assert "no grant is left" in cli("revoke", "eve", "swarm/a").told


def test_an_agent_may_do_what_its_grants_allow(cli: Cli) -> None:
    cli("grant", "bob", "swarm/**", "write")
    assert cli("put", "swarm/a", "k", "1", "--agent", "bob").status == 0
    assert cli("get", "swarm/a", "k", "--agent", "bob").json == 1
    refused = cli("put", "other", "k", "1", "--agent", "bob", "--json")
    assert (refused.status, refused.error["name"]) == (18, "AccessDenied")
    assert cli("put", "other", "k", "1").status == 0


@pytest.mark.parametrize(
    "command",
    [
        ("sweep",),
        ("verify",),
        ("grant", "bob", "**", "admin"),
        ("audit", "show"),
        ("policies", "show"),
    ],
)
def test_upkeep_as_an_agent_takes_the_right_to_administer(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """An agent cannot raise its own rights by running the operator's commands."""
    cli("grant", "bob", "swarm/**", "admin")
    cli("grant", "root", "**", "admin")
    monkeypatch.setenv("MEMTEND_AGENT", "bob")
    assert cli(*command).status == 18
    monkeypatch.setenv("MEMTEND_AGENT", "root")
    assert cli(*command).status == 0


def test_a_right_that_does_not_exist_is_wrong_usage(cli: Cli) -> None:
    assert cli("grant", "bob", "**", "everything").status == 2


@pytest.mark.parametrize("pattern", ["", "a//b", "a b", "***", "../x", "a\n"])
def test_a_wrong_pattern_is_refused(cli: Cli, pattern: str) -> None:
    assert cli("grant", "bob", pattern, "read").status == 10


def test_quarantine_takes_a_writer_out_of_sight_and_back(cli: Cli) -> None:
    cli("put", "n", "good", "1", "--agent", "alice")
    for key in ("b1", "b2"):
        cli("put", "n", key, "1", "--agent", "mallory")
    ran = cli("quarantine", "--writer", "mallory", "--json")
    assert ran.json == {"writer": "mallory", "trust": "quarantined", "records": 2}
    assert [row["key"] for row in cli("list", "n", "--json").json] == ["good"]
    assert cli("explain", "n", "b1", "--json").json["state"] == "quarantined"
    assert "0 records" in cli("quarantine", "--writer", "mallory").told
    assert "shown again" in cli("quarantine", "--writer", "mallory", "--release").told
    assert len(cli("list", "n", "--json").json) == 3


def test_the_audit_trail_shows_who_did_what(cli: Cli) -> None:
    for n in range(3):
        cli("put", "n", f"k{n}", "1", "--agent", "bob")
    assert [entry["detail"] for entry in cli("audit", "show", "--last", "2", "--json").json] == [
        "n/k1", "n/k2",
    ]  # fmt: skip
    after = cli("audit", "show", "--after", "1", "--last", "1", "--json").json
    assert [(e["n"], e["actor"], e["action"]) for e in after] == [(2, "bob", "put")]
    assert "n/k2" in cli("audit", "show").out


def test_a_changed_audit_entry_is_status_70(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    assert cli("audit", "verify", "--json").json["whole"] is True
    assert "unbroken" in cli("audit", "verify").told
    with sqlite3.connect("memtend.db") as connection:
        connection.execute("UPDATE audit SET actor = 'nobody'")
    connection.close()
    assert cli("audit", "verify").status == 70
