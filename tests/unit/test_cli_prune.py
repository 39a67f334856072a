"""`memtend prune …` and `memtend undo`: what each command prints and leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtend.drafting import Put
from memtend.memory import Memory
from tests.fixtures.cli import Cli

RULES = "prune:\n  shields: {settle: 0s}\n"
SAYING = {"said": "the same thing, at such a length that it is a statement and no state"}


@pytest.fixture
def copies(cli: Cli, tmp_path: Path) -> Cli:
    """A store whose rules wait for nothing, with three copies among four records."""
    (tmp_path / "policies.yaml").write_text(RULES)
    assert cli("policies", "set", "policies.yaml").status == 0
    put(*"abc")
    return cli


def put(*keys: str) -> None:
    """Records that say the same, and one that does not."""
    with Memory.open() as memory:
        memory.put_many([Put("facts", key, SAYING) for key in keys])
        memory.put("facts", "own", 1)


def test_prune_previews_applies_and_is_undone(copies: Cli) -> None:
    preview = copies("prune")
    assert "would delete   2 of 4 records" in preview.out
    assert "redundancy.exact 2" in preview.out
    assert "Nothing was changed" in preview.told
    assert not Path("memtend-archive").exists()
    plan = copies("prune", "--strategy", "redundancy", "--json").json
    assert [(one["key"], one["rule"]) for one in plan["decisions"]] == [
        ("b", "redundancy.exact"), ("c", "redundancy.exact"),
    ]  # fmt: skip
    done = copies("prune", "--apply", "--json").json
    assert (done["deleted"], done["merged"]) == (2, 2)
    told = copies("explain", "facts", "b")
    assert f"pruned by redundancy.exact: memtend undo {done['plan'][:12]}" in told.told
    assert copies("get", "facts", "b").status != 0
    assert "asked for once" in copies("explain", "facts", "b").told
    regret = copies("prune", "regret", "--json").json
    assert [(one["rule"], one["pruned"], one["missed"]) for one in regret] == [
        ("redundancy.exact", 2, 1),
    ]  # fmt: skip
    assert "50.0%" in copies("prune", "regret").out
    assert done["plan"][:12] in copies("prune", "history").out
    undone = copies("undo", done["plan"][:12])
    assert "brought back   2" in undone.out
    assert copies("get", "facts", "b").status == 0
    assert "undone" in copies("prune", "history").out


def test_too_much_needs_approval(copies: Cli) -> None:
    put(*(f"e{number}" for number in range(10)))
    assert "12 of 14 records" in copies("prune").out
    refused = copies("prune", "--apply", "--json")
    assert (refused.status, refused.error["code"]) == (38, 38)
    assert "--approve" in refused.error["hint"]
    assert "undo it: memtend undo" in copies("prune", "--apply", "--approve").told


def test_what_is_unknown_is_named(copies: Cli) -> None:
    assert "nothing was pruned yet" in copies("prune", "history").told
    assert copies("undo", "0123456789ab", "--json").error["code"] == 62
    assert copies("prune", "--profile", "none", "--json").error["code"] == 36
    assert copies("prune", "--strategy", "none", "--json").error["code"] == 37
