"""`memtend health`: the score, what costs points, what could be saved, and a look in full."""

from __future__ import annotations

import sqlite3
from itertools import takewhile
from pathlib import Path

from memtend import Memory, Put
from memtend.health.checks import check_health
from memtend.health.facts import OpFacts, SavingFacts
from tests.fixtures.cli import Cli
from tests.unit.test_health import WELL


def test_a_whole_store_scores_100(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    shown = cli("health")
    assert shown.status == 0
    assert "100 of 100" in shown.out
    found = cli("health", "--json").json
    assert (found["score"], found["healthy"], found["opportunities"]) == (100, True, [])


def test_damage_costs_points_and_says_what_to_do(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    with sqlite3.connect("memtend.db") as connection:
        connection.execute("UPDATE sibling SET value = x'32'")
    connection.close()
    ran = cli("health")
    assert ran.status == 71
    assert "50 of 100" in ran.out
    assert all(word in ran.out for word in ("-50", "integrity", "memtend verify"))
    assert "integrity" in ran.told


def test_a_look_in_full_reads_every_row(cli: Cli) -> None:
    with Memory.open("memtend.db") as memory:
        memory.put_many([Put("n", f"k{n}", n) for n in range(600)])
    sampled, full = (cli("health", *more, "--json").json for more in ([], ["--full"]))
    told = [next(c["fact"] for c in one["checks"] if c["name"] == "integrity")
            for one in (sampled, full)]  # fmt: skip
    assert [text.split(",")[0] for text in told] == ["rows looked at now: 256",
                                                     "rows looked at now: 600"]  # fmt: skip


def test_a_quota_that_was_lowered_is_critical(cli: Cli, tmp_path: Path) -> None:
    cli("put", "n", "k", "x" * 300)
    (tmp_path / "p.yaml").write_text("quotas: {store_bytes: 300}")
    cli("policies", "set", "p.yaml")
    ran = cli("health", "--json")
    assert (ran.status, "store all" in ran.out) == (71, True)


def test_savings_are_shown_with_their_commands(cli: Cli) -> None:
    with Memory.open("memtend.db") as memory:
        memory.put_many([Put("n", f"k{n}", f"{n} " * 2_000, ttl_ms=1) for n in range(200)])
    with sqlite3.connect("memtend.db") as connection:
        connection.execute("CREATE TABLE waste AS SELECT randomblob(2000000) AS gone")
        connection.execute("DROP TABLE waste")
    connection.close()
    shown = cli("health")
    assert "vacuum" in shown.out
    assert "memtend optimize --step" in shown.out


def test_every_command_that_saves_something_exists(cli: Cli) -> None:
    fields = [name for name in SavingFacts.model_fields if name.endswith("_bytes")]
    slow = tuple(
        OpFacts(op="get", tier=tier, count=10**6, p50_ms=ms, p95_ms=ms)
        for tier, ms in (("hot", 1.0), ("cold", 50.0))
    )
    changed = {"savings": SavingFacts(**dict.fromkeys(fields, 10**9)), "slow": slow}
    told = check_health(WELL.model_copy(update=changed)).opportunities
    assert len(told) == 7
    for one in told:
        program, *words = one.command.split()
        path = list(takewhile(str.islower, words))
        helped = cli(*path, "--help")
        assert (program, helped.status) == ("memtend", 0)
        assert all(word in helped.out for word in words if word.startswith("--")), one.command
