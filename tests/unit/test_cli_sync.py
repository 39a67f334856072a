"""`memtend sync` and `memtend peers`: what each prints, leaves and fails with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memtend.clock import SystemClock
from memtend.store.store import Store
from tests.fixtures.cli import Cli

HERE, THERE = ("--store", "memtend.db"), ("--store", "other.db")


@pytest.fixture
def two(cli: Cli) -> Cli:
    """Two stores, each with a value of its own for one key."""
    assert cli("init", *THERE).status == 0
    assert cli("put", "team/notes", "plan", '{"step": 1}').status == 0
    assert cli("put", "team/notes", "plan", '{"step": 2}', *THERE).status == 0
    return cli


def test_through_a_place(two: Cli) -> None:
    first = two("sync", "./shared")
    assert first.status == 0
    assert "0 other replicas there" in first.out
    assert "1 records, everything anew" in first.out
    second = two("sync", "./shared", *THERE)
    assert "1 records, 1 values new, 0 ended" in second.out
    assert "`memtend conflicts list` shows them" in second.told
    report = two("sync", "./shared", "--json").json
    assert (report["kind"], report["conflicts"], report["pulled"]["records"]) == ("place", 1, 1)
    assert report["findings"] == []
    assert "nothing new" in two("sync", "./shared").out


def test_directly_and_one_way(two: Cli) -> None:
    pulled = two("sync", "other.db", "--pull", "--json").json
    assert (pulled["pulled"]["added"], pulled["pushed"]) == (1, None)
    pushed = two("sync", "other.db", "--push", "--json").json
    assert (pushed["pulled"], pushed["pushed"]["added"]) == (None, 1)
    assert two("sync", "other.db", "--pull", "--push").status == 2


def test_peers_have_names(two: Cli) -> None:
    assert "no peers" in two("peers", "list").told
    assert "no peers" in two("sync", "all").told
    assert "the store sqlite:///" in two("peers", "add", "other", "other.db").told
    assert "the place" in two("peers", "add", "team", "./shared").told
    assert "never" in two("peers", "show", "other").out
    ran = two("sync", "all", "--json")
    assert [(one["name"], one["kind"]) for one in ran.json] == [
        ("other", "store"),
        ("team", "place"),
    ]
    listed = two("peers", "list", "--json").json
    assert [(one["name"], one["backlog"]) for one in listed["peers"]] == [("other", 0), ("team", 0)]
    assert "other.db" in two("peers", "list").out
    assert listed["replica"] in two("peers", "show", "other").out
    assert two("peers", "forget", "./shared").status == 0
    assert two("peers", "forget", "team").status == 19
    assert [one["name"] for one in two("peers", "list", "--json").json["peers"]] == ["other"]


def test_rights(two: Cli) -> None:
    two("put", "private", "k", "1", *THERE)
    two("peers", "add", "other", "other.db")
    assert "may send team/**" in two("peers", "allow", "other", "team/**").told
    refused = two("sync", "other", "--json")
    assert (refused.status, refused.error["code"]) == (95, 95)
    assert two("get", "private", "k").status == 17
    assert "may send everything" in two("peers", "allow", "other").told
    assert two("sync", "other").status == 0
    assert two("get", "private", "k").json == 1


def test_one_that_fails_holds_up_no_other(two: Cli, tmp_path: Path) -> None:
    two("peers", "add", "other", "other.db")
    two("peers", "add", "team", "./shared")
    (tmp_path / "other.db").rename(tmp_path / "away.db")
    ran = two("sync", "all")
    assert ran.status == 20
    assert "other: there is no store" in ran.told
    assert list((tmp_path / "shared" / "heads").iterdir())


def test_what_is_no_peer_is_told(cli: Cli) -> None:
    Path("plain.txt").write_text("not a database")
    wrong = ("nobody", "./no/such/folder", "memtend.db", "s3://", "sqlite://", "plain.txt")
    for peer in wrong:
        assert cli("sync", peer).status == 19
    assert cli("sync", "sqlite:///gone.db").status == 20
    away = cli("sync", "postgresql://a:secret@127.0.0.1:1/x")
    assert (away.status, "secret" in away.told) == (29, False)


def test_a_name_that_is_a_path_too_is_not_guessed(two: Cli, tmp_path: Path) -> None:
    two("peers", "add", "shared", "./elsewhere")
    (tmp_path / "shared").mkdir()
    ran = two("sync", "shared")
    assert ran.status == 19
    assert "write ./shared" in ran.told
    assert two("sync", "./shared").status == 0


def test_bootstrap_after_everybody_was_rolled_back(two: Cli, tmp_path: Path) -> None:
    two("sync", "./shared")
    two("put", "team/notes", "unsent", '"mine"')
    store = Store.open("other.db", clock=SystemClock(), create=False)
    with store.engine.write() as tx:
        tx.run("save_meta", store.meta()._replace(epoch=1).params())
    store.close()
    two("sync", "./shared", *THERE)
    behind = two("sync", "./shared")
    assert behind.status == 92
    assert "epoch 1" in behind.told
    done = two("sync", "./shared", "--bootstrap", "--quarantine", "mine.jsonl")
    assert done.status == 0
    assert "mine.jsonl" in done.told
    lines = [json.loads(line) for line in (tmp_path / "mine.jsonl").read_text().splitlines()]
    assert {line["key"]: line["value"] for line in lines[1:]}["unsent"] == "mine"
    assert two("get", "team/notes", "plan").json == {"step": 2}
    assert two("sync", "./shared", "--bootstrap", "--quarantine", "mine.jsonl").status == 19
