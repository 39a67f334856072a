"""`memtend archive …`: what each command prints and leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.cli import Cli

LONG = " ".join(str(n * n % 997) for n in range(150))
RULES = """
archive:
  rules:
    - {name: logs, namespace: "log/**", larger_than: 256}
"""


@pytest.fixture
def cold(cli: Cli, tmp_path: Path) -> Cli:
    """A store with a rule that holds for two of its three records."""
    (tmp_path / "policies.yaml").write_text(RULES)
    assert cli("policies", "set", "policies.yaml").status == 0
    for namespace, key in (("log", "a"), ("log", "b"), ("other", "c")):
        assert cli("put", namespace, key, f"{key} {LONG}", "--text", "--tag", "t").status == 0
    return cli


def test_run_previews_and_applies(cold: Cli) -> None:
    preview = cold("archive", "run")
    assert "would archive 2 of 3 records" in preview.told
    assert not Path("memtend-archive").exists()
    plan = cold("archive", "run", "--json").json
    assert [(d["key"], d["rule"]) for d in plan["decisions"]] == [("a", "logs"), ("b", "logs")]
    done = cold("archive", "run", "--apply")
    assert done.status == 0
    assert "archive undo 1" in done.told
    assert cold("get", "log", "a").json == f"a {LONG}"
    listed = cold("archive", "list", "--json").json
    assert [(one["run"], one["records"], one["rules"]) for one in listed] == [(1, 2, {"logs": 2})]
    assert "logs 2" in cold("archive", "list").out
    assert "cold" in cold("stats").out
    stats = cold("archive", "stats", "--json").json
    assert stats["records"] == 2
    assert stats["saved_bytes"] == (
        stats["before_bytes"] - stats["stub_bytes"] - stats["archive_bytes"]
    )
    assert "2 records" in cold("archive", "stats").out


def test_search_marks_what_is_archived(cold: Cli) -> None:
    cold("archive", "run", "--apply")
    assert "log/a (archived)" in cold("search", "--tag", "t").out
    found = cold("search", "--tag", "t", "--cold", "labels", "--json").json
    marks = {r["key"]: (r["archived"], r["value"] is None) for r in found}
    assert marks == {"a": (True, True), "b": (True, True), "c": (False, False)}
    skipped = cold("search", "--tag", "t", "--cold", "skip", "--json").json
    assert [r["key"] for r in skipped] == ["c"]
    assert cold("search", "--cold", "odd").status == 2


def test_recall_and_undo(cold: Cli) -> None:
    cold("archive", "run", "--apply")
    assert cold("archive", "recall", "log/a", "--json").json["written"] == 1
    assert "recalled" in cold("archive", "undo", "1").out
    assert cold("archive", "stats", "--json").json["records"] == 0
    assert cold("get", "log", "b").json == f"b {LONG}"


def test_upkeep(cold: Cli) -> None:
    cold("archive", "run", "--apply", "--archive", "elsewhere")
    assert Path("elsewhere/memtend.json").exists()
    assert "whole: 2 archived records" in cold("archive", "verify").told
    assert cold("archive", "reindex", "--json").json["written"] == 0
    assert "would rewrite or remove 0 of 1" in cold("archive", "compact").told
    cold("archive", "recall", "**")
    assert "nothing names it" in cold("archive", "compact").out
    assert "1 unused" in cold("archive", "compact", "--apply").out
    assert cold("archive", "compact", "--apply", "--json").json["waiting"] == 1


def test_damage_is_the_status(cold: Cli) -> None:
    cold("archive", "run", "--apply")
    [path] = Path("memtend-archive").glob("*/objects/*/*")
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert cold("archive", "verify").status == 83
    assert cold("archive", "verify", "--json").json["damage_count"] > 0
    assert cold("get", "log", "a", "--json").error["code"] == 33


def test_there_is_no_archive_yet(cold: Cli) -> None:
    for command in (["list"], ["verify"], ["compact"], ["reindex"], ["undo", "1"]):
        assert cold("archive", *command).status == 35
    assert cold("archive", "recall", "**").status == 0
