"""`memtend init|stats|explain|health|clock|ballast|policies|sweep|import|verify|backup`."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from memtend import Memory, Put, load_policies
from memtend.clock import SystemClock
from memtend.limits import BALLAST_FILES, SWEEP_MARGIN_MS
from tests.fixtures.cli import Cli

LEGACY = Path(__file__).parents[1] / "golden" / "legacy"
POLICIES = """
namespaces:
  - {namespace: "session/*", ttl: 1h, cleanup_strategy: lazy}
  - {namespace: "kept/*", ttl: 1h, cleanup_strategy: manual}
  - {namespace: "tasks", ttl_seconds: 0, conflict_strategy: counter, compression_enabled: false}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(POLICIES)
    return path


def put_expired(namespace: str, count: int) -> None:
    past = SystemClock().now_ms() - 2 * SWEEP_MARGIN_MS
    with Memory.open("memtend.db") as memory:
        memory.put_many(Put(namespace, f"k{n}", n, expires_at_ms=past) for n in range(count))


def test_init_makes_a_store_once(bare_cli: Cli, policies: Path) -> None:
    assert "ready" in bare_cli("init", "--policies", policies).told
    made = bare_cli("init", "--json").json
    assert bare_cli("init", "--json").json == made
    assert len(bare_cli("policies", "show", "--json").json["policies"]["rules"]) == 3


def test_init_with_a_wrong_policy_file_makes_nothing(bare_cli: Cli, tmp_path: Path) -> None:
    assert bare_cli("init", "--policies", tmp_path / "none.yaml").status == 13
    assert not (tmp_path / "memtend.db").exists()


def test_stats_count_what_is_stored(cli: Cli) -> None:
    cli("put", "n/a", "k", "1", "--session", "s1", "--agent", "bob")
    found = cli("stats", "--json").json
    assert (found["records"], found["namespaces"][0]["name"]) == (1, "n/a")
    shown = cli("stats").out
    assert all(word in shown for word in ("n/a", "bob", "s1"))


def test_stats_shows_the_largest_and_counts_the_rest(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtend.cli.show.ROWS_SHOWN", 1)
    cli("put", "big", "k", "x" * 500)
    cli("put", "small", "k", "x")
    ran = cli("stats")
    assert "big" in ran.out
    assert "1 smaller" in ran.told


def test_stats_and_health_tell_of_a_quota_nearly_used(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("quotas: {store_bytes: 300}")
    cli("policies", "set", "p.yaml")
    cli("put", "n", "k", "x" * 200)
    assert "store all uses" in cli("stats").told
    assert cli("put", "n", "k2", "x" * 200, "--json").error["name"] == "QuotaExceeded"


def test_explain_tells_the_rule_and_the_end(cli: Cli, policies: Path) -> None:
    cli("policies", "set", policies)
    cli("put", "session/s1", "k", "1")
    found = cli("explain", "session/s1", "k", "--json").json
    assert (found["state"], found["policy"]["pattern"]) == ("live", "session/*")
    assert "session/*" in cli("explain", "session/s1", "k").out
    cli("delete", "session/s1", "k")
    assert "deleted" in cli("explain", "session/s1", "k").out
    assert cli("explain", "never", "k", "--json").json["state"] == "unknown"


def test_explain_takes_the_right_to_read(cli: Cli) -> None:
    cli("grant", "eve", "elsewhere", "admin")
    assert cli("explain", "n", "k", "--agent", "eve").status == 18


def test_health_is_71_when_a_backup_is_missing(cli: Cli) -> None:
    assert cli("health", "--json").json["level"] == "ok"
    assert "clock" in cli("health").out
    bad = cli("health", "--target", "backups")
    assert (bad.status, "backup" in bad.told) == (71, True)
    cli("backup", "take", "--target", "backups")
    assert cli("health", "--target", "backups").status == 0


def test_clock_compares_with_the_newest_write(cli: Cli) -> None:
    assert cli("clock", "--json").json["newest_write"] is None
    cli("put", "n", "k", "1")
    found = cli("clock", "--json").json
    assert found["newest_write"] is not None
    assert found["alarm_ms"] is None
    assert "this machine" in cli("clock").out


def test_ballast_is_laid_down_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "memtend.db.ballast-1").unlink()
    assert cli("ballast", "refill", "--json").json["files"] == BALLAST_FILES
    assert "set aside" in cli("ballast").told
    assert (tmp_path / "memtend.db.ballast-1").exists()


def test_policies_are_checked_set_and_shown(cli: Cli, policies: Path) -> None:
    checked = cli("policies", "check", policies)
    assert "session/*" in checked.out
    assert "can be used" in checked.told
    assert cli("policies", "show", "--json").json["policies"]["rules"] == []
    assert "3 rules" in cli("policies", "set", policies).told
    assert "permanent" in cli("policies", "show").out
    again = load_policies(cli("policies", "show", "--yaml").out)
    assert again.policies.digest == load_policies(POLICIES).policies.digest
    as_json = cli("policies", "check", policies, "--json").json
    assert cli("policies", "set", policies, "--json").json == as_json


def test_the_older_tools_policy_file_is_taken_with_notes(cli: Cli) -> None:
    file = LEGACY / "lifecycle" / ".claude" / "memory-retention-policies.yaml"
    assert "gzip" in cli("policies", "check", file).told
    assert "gzip" in cli("policies", "set", file).told
    assert "gzip" in cli("init", "--policies", file).told


@pytest.mark.parametrize("text", ["namespaces: 3", "nonsense: 1", "a: &a [*a]", "\0", "- x\n: {"])
def test_a_wrong_policy_file_is_named_with_its_line(cli: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    ran = cli("policies", "check", "bad.yaml", "--json")
    assert (ran.status, ran.error["name"]) == (13, "InvalidPolicy")


def test_a_sweep_previews_then_deletes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtend.cli.show.ROWS_SHOWN", 2)
    put_expired("old", 3)
    cli("put", "new", "k", "1")
    shown = cli("sweep")
    assert "old/k0" in shown.out
    assert all(text in shown.told for text in ("1 more", "would delete 3 of 4", "--apply"))
    assert len(cli("sweep", "--json").json["decisions"]) == 3
    assert cli("sweep", "--apply", "--json").json["deleted"] == 3
    assert "deleted  0" in cli("sweep", "--apply").out
    assert "would delete 0" in cli("sweep").told
    assert cli("get", "new", "k").json == 1


def test_what_is_cleaned_by_hand_is_swept_only_when_asked(cli: Cli, policies: Path) -> None:
    cli("policies", "set", policies)
    put_expired("kept/a", 2)
    assert cli("sweep", "--apply", "--json").json["deleted"] == 0
    assert cli("sweep", "--apply", "--manual", "--json").json["deleted"] == 2


def test_a_sweep_that_would_delete_too_much_is_refused(cli: Cli) -> None:
    put_expired("old", 1_001)
    ran = cli("sweep", "--apply", "--json")
    assert (ran.status, ran.error["name"]) == (41, "DeletesTooMuch")
    assert cli("stats", "--json").json["records"] == 1_001


@pytest.mark.parametrize("source", ["lifecycle", "aml-1.2.0"])
def test_an_import_previews_then_writes_once(cli: Cli, source: str) -> None:
    folder = LEGACY / source
    plan = cli("import", folder, "--json").json
    assert all("data" not in one for one in plan["quarantined"])
    assert "--apply" in cli("import", folder, "--zone", "Europe/Berlin").told
    assert cli("stats", "--json").json["records"] == 0
    written = cli("import", folder, "--apply", "--json").json["written"]
    assert written == plan["actions"]["import"] > 0
    assert "written" in cli("import", folder, "--apply").out
    assert cli("import", folder, "--apply", "--json").json["written"] == 0


def test_an_import_reports_to_a_file_or_does_nothing(cli: Cli, tmp_path: Path) -> None:
    source = str(LEGACY / "lifecycle")
    nowhere = cli("import", source, "--apply", "--report", str(tmp_path / "none/report.json"))
    assert (nowhere.status, cli("stats", "--json").json["records"]) == (1, 0)
    report = tmp_path / "report.json"
    cli("import", source, "--apply", "--report", str(report))
    assert json.loads(report.read_text())["written"] == 10


def test_an_import_says_what_it_leaves_behind(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(LEGACY / "swarm", tmp_path / "source")
    for more in ([], ["--apply"]):
        told = cli("import", "source", *more).told
        assert "swarm-fx/coordination/locks: a lock list is not taken over" in told
        assert "memory_config.json: configuration" in told


def test_an_import_names_what_it_cannot_read(cli: Cli, tmp_path: Path) -> None:
    memory = tmp_path / "source" / ".claude-flow" / "memory"
    memory.mkdir(parents=True)
    (memory / "good_key.json").write_text('{"value": 1}')
    (memory / "bad_key.json").write_text("{torn")
    assert "bad_key.json" in cli("import", "source").out


@pytest.mark.parametrize("arguments", [("nowhere",), (".",), (".", "--kind", "pickle")])
def test_a_folder_of_no_known_kind_is_status_60(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("import", *arguments).status == 60


def damage(table: str, change: str) -> None:
    with sqlite3.connect("memtend.db") as connection:
        connection.execute(f"UPDATE {table} SET {change}")
    connection.close()


def test_verify_is_83_when_a_record_is_damaged(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    assert "whole" in cli("verify").told
    damage("sibling", "value = x'32'")
    ran = cli("verify")
    assert ran.status == 83
    assert "n/k" in ran.out
    assert cli("verify", "--json").json["damage_count"] >= 1
    assert cli("get", "n", "k").status == 24


def test_a_backup_is_taken_and_verified(cli: Cli, tmp_path: Path) -> None:
    cli("put", "n", "k", "1")
    assert cli("backup", "take", "--target", "b", "--why", "test", "--json").json["rows"] == 1
    assert "records  1" in cli("backup", "take", "--target", "b").out
    assert "whole" in cli("backup", "verify", "--target", "b").out
    assert cli("backup", "verify", "--target", "b", "--json").json["damage_count"] == 0
    for file in (tmp_path / "b" / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"?" + file.read_bytes()[1:])
    assert cli("backup", "verify", "--target", "b", "--quick").status == 0
    ran = cli("backup", "verify", "--target", "b")
    assert (ran.status, "damaged" in ran.out) == (83, True)


def test_a_backup_says_what_it_left_out(cli: Cli) -> None:
    cli("put", "n", "k", "1")
    damage("sibling", "value = x'32'")
    assert "1 damaged records" in cli("backup", "take").told


def test_a_backup_says_when_the_repository_lost_one(cli: Cli, tmp_path: Path) -> None:
    cli("backup", "take", "--target", "b")
    next((tmp_path / "b" / "manifests").iterdir()).unlink()
    assert "not in the repository" in cli("backup", "take", "--target", "b").told


def test_no_backup_is_status_55(cli: Cli) -> None:
    assert cli("backup", "verify", "--target", "empty").status == 55
