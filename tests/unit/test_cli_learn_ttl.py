"""`memtend learn ttl` and its `undo`, on a store with some days of use behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.clock import ManualClock, SystemClock
from tests.fixtures.cli import Cli
from tests.fixtures.tuning import DAY_MS, MINUTE_MS, RULES, tuning, use


@pytest.fixture
def used(bare_cli: Cli) -> Cli:
    """Four days, of which the last has just ended."""
    clock = ManualClock(SystemClock().now_ms() - 4 * DAY_MS)
    with tuning("memtend.db", Path(), clock, RULES) as services:
        services.memory.put("plans/a", "k", 1)
        for number in range(4):
            use(services, clock, f"d{number}-", [5 * MINUTE_MS] * 3, keys=20)
    return bare_cli


def test_a_new_store_proposes_nothing(cli: Cli) -> None:
    ran = cli("learn", "ttl", "plan")
    assert (ran.status, "no access is in the sample yet" in ran.told) == (0, True)
    assert "nothing was tried yet" in cli("learn", "ttl", "trials").told
    assert "nothing is under way" in cli("learn", "ttl", "watch").told
    assert "too few accesses" in cli("learn", "ttl", "curves").told
    for command in ("trials", "watch", "curves"):
        assert cli("learn", "ttl", command, "--json").json == []


def test_what_was_read_is_what_is_applied_and_undone(used: Cli) -> None:
    before = used("policies", "show", "--yaml").out
    ran = used("learn", "ttl", "plan")
    assert "session/*" in ran.out
    assert "1 accesses are too few" in " ".join(ran.out.split())
    digest = ran.told.rsplit("apply ", 1)[1].split()[0]
    assert used("learn", "ttl", "apply", "0" * 12).status == 44
    applied = used("learn", "ttl", "apply", digest)
    assert applied.status == 0
    assert f"undo it: memtend undo {digest}" in applied.told
    assert "nothing was left to do" in used("learn", "ttl", "apply", digest).told
    assert "canary" in used("learn", "ttl", "trials").out
    assert "on 40%" in used("policies", "show").out
    assert "wait" in used("learn", "ttl", "watch").out
    assert "1" in used("undo", digest).out
    assert used("policies", "show", "--yaml").out == before
    assert used("undo", "0" * 12).status == 62


def test_plans_trials_and_looks_as_json(used: Cli) -> None:
    plan = used("learn", "ttl", "plan", "--json").json
    assert {one["namespace"]: one["action"] for one in plan["decisions"]} == {
        "plans/*": "keep",
        "session/*": "update",
    }
    report = used("learn", "ttl", "apply", plan["plan"], "--json").json
    assert (report["written"], report["plan"]) == (1, plan["plan"])
    (trial,) = used("learn", "ttl", "trials", "--json").json
    assert (trial["pattern"], trial["state"], trial["share"]) == ("session/*", "canary", 0.4)
    (look,) = used("learn", "ttl", "watch", "--json").json
    assert (look["verdict"], look["trial"]["id"]) == ("wait", trial["id"])
    stale = used("learn", "ttl", "plan", "--json").json
    Path("other.yaml").write_text("namespaces: []")
    assert used("policies", "set", "other.yaml").status == 0
    ran = used("learn", "ttl", "apply", stale["plan"], "--json")
    assert (ran.status, ran.error["code"]) == (116, 116)


def test_curves_fall_and_namespaces_have_their_own(used: Cli) -> None:
    curves = {one["name"]: one for one in used("learn", "ttl", "curves", "--json").json}
    survival = curves["session/*"]["survival"]
    assert survival == sorted(survival, reverse=True)
    shown = used("learn", "ttl", "curves", "--by", "namespace").out
    assert "session/a" in shown
    assert used("learn", "ttl", "curves", "--by", "key").status == 2
