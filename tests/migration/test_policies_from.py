"""Retention of other tools as a policy file: what is meant is kept, the rest is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.errors import InvalidPolicy, SourceUnknown
from memtend.limits import POLICY_BYTES_MAX, TTL_MS_MAX
from memtend.migrate.policies_from import Translation, translate
from memtend.migrate.policies_tree import Tree
from memtend.model.policy import Reading
from memtend.model.policyfile import Layout
from memtend.policies import load_policies
from tests.fixtures.cli import Cli

pytest_plugins = ["tests.fixtures.cli"]

GOLDEN = Path(__file__).parents[1] / "golden"
LEGACY = GOLDEN / "legacy"
DAY_MS = 86_400_000
OLD = load_policies(LEGACY / "lifecycle/.claude/memory-retention-policies.yaml").policies
NEW = load_policies(GOLDEN / "policies/lifecycle.yaml").policies
WORDS = st.sampled_from(
    ["coordination", "session", "swarm", "shared", "agent", "state", "task", "status", "progress",
     "metrics", "count", "knowledge", "decisions", "x", "swarm_shared", "a%"]
)  # fmt: skip


def there(path: str) -> int | None:
    """What the older tool made of its file: the first match, `*` at the end only."""
    for rule in OLD.rules:
        head, star, tail = rule.pattern.partition("*")
        if path.startswith(head) if star and not tail else path == rule.pattern:
            return rule.ttl_ms
    return None


def swarm_source(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"memory_{name}.json").write_text(text)
    return folder


def category(pattern: Any, days: Any) -> dict[str, Any]:
    about = {"path_pattern": pattern, "retention_days": days, "description": "d"}
    return {"memory_structure": {"group": {"name": about}}}


@pytest.mark.parametrize("kind", ["swarm", "lifecycle"])
def test_the_samples_are_translated_as_they_were_reviewed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(LEGACY)
    made = translate(Path(kind))
    assert made.kind == kind
    assert made.text == (GOLDEN / f"policies/{kind}.yaml").read_text()
    assert load_policies(made.text).model_copy(update={"notes": ()}) == made.file


def test_the_swarm_sample_says_what_its_files_say() -> None:
    file = translate(LEGACY / "swarm").file
    ttl_days = {
        "swarm-a/agent-b/state": 7, "swarm-a/agent-b/decisions": 14,
        "swarm-a/global/knowledge": 90, "swarm-a/global/state": 30, "swarm-a/anything": 30,
        "swarm-a/session-s/context": 14, "swarm-a/agent-b/progress": 7,
        "neural/outcomes": 365, "global/neural/success-1": 180, "global/monitoring": 30,
    }  # fmt: skip
    for namespace, days in ttl_days.items():
        assert file.policies.resolve(namespace, "k").ttl_ms == days * DAY_MS, namespace
    assert file.policies.resolve("my-own/notes", "k").ttl_ms is None
    assert file.layout is Layout.SWARM
    quotas = file.quotas
    assert (quotas.agent_bytes, quotas.session_bytes) == (100_000_000, 50_000_000)
    assert (quotas.store_bytes, quotas.warn_share) == (10_000_000_000, 0.8)


@pytest.mark.parametrize("name", ["memory_schema.json", "memory_config.json"])
def test_every_key_of_the_swarm_sample_is_taken_or_named(name: str) -> None:
    made = translate(LEGACY / "swarm" / name)
    told = " ".join(made.notes)
    taken = {"path_pattern", "retention_days", "description", "backup_frequency",
             "default_retention_days", "max_memory_per_agent", "max_session_size",
             "max_total_memory", "max_individual_memory", "max_session_memory",
             "warning_threshold", "conflict_resolution", "compression_enabled",
             "auto_cleanup_enabled"}  # fmt: skip
    for text in Tree(json.loads((LEGACY / "swarm" / name).read_text()), name).rest():
        key = text.partition(" = ")[0]
        assert key in told or key.rpartition(".")[2] in taken, key


@given(st.lists(WORDS, min_size=2, max_size=4))
def test_lifecycle_rules_hold_as_before_but_for_what_was_wrong(parts: list[str]) -> None:
    """Wrong there: a later rule behind an earlier one, and `*` in the middle of a pattern."""
    path = "/".join(parts)
    namespace, _, key = path.rpartition("/")
    assert NEW.resolve(namespace, key) == OLD.resolve(namespace, key)
    holds = NEW.resolve(namespace, key)
    wrong = "swarm/shared/decisions", "task/*/status", "agent/*/progress", "metrics/*/count"
    below = any(
        path.startswith(f"{rule.pattern}/") for rule in OLD.rules if "*" not in rule.pattern
    )
    if holds.pattern not in wrong and not below and not namespace.endswith("%"):
        assert holds.ttl_ms == there(path), path


def test_the_notes_of_the_lifecycle_sample_name_what_was_wrong() -> None:
    told = "\n".join(translate(LEGACY / "lifecycle").notes)
    assert "'swarm/shared/decisions' was never reached behind 'swarm/shared/*'" in told
    assert "'metrics/*/count' matched nothing in the older tool" in told
    assert NEW.resolve("metrics/tasks", "count").reading is Reading.COUNTER


@pytest.mark.parametrize(
    ("pattern", "days", "ttl_ms", "note"),
    [
        ("swarm-{id}/x", 2, 2 * DAY_MS, "backup_frequency"),
        ("a/{x}{y}-{z}", 0.5, DAY_MS // 2, "backup_frequency"),
        ("a/x", 10**9, TTL_MS_MAX, "are clamped to 73,000"),
        ("a/x", 0, None, "no number of days above 0"),
        ("a/x", True, None, "no number of days above 0"),
        ("a/x", "7", None, "no number of days above 0"),
        ("a/x", -3, None, "no number of days above 0"),
        ("a//x", 3, None, "is no pattern"),
        (None, 3, None, "is no pattern"),
        ("../../etc", 3, None, "is no pattern"),
        ("a/{b/c}", 3, None, "is no pattern"),
    ],
)
def test_a_category(tmp_path: Path, pattern: Any, days: Any, ttl_ms: int | None, note: str) -> None:
    made = translate(swarm_source(tmp_path, schema=category(pattern, days)))
    assert note in " ".join(made.notes)
    plain = str(pattern).replace("{id}", "*").replace("{x}{y}-{z}", "*-*")
    ttls = {rule.pattern: rule.ttl_ms for rule in made.file.policies.rules}
    assert ttls.get(plain) == ttl_ms
    assert load_policies(made.text).policies == made.file.policies


def test_limits_that_differ_or_are_none(tmp_path: Path) -> None:
    limits = {"max_individual_memory": "200MB", "max_session_memory": 5, "warning_threshold": "x"}
    constraints = {"max_memory_per_agent": "100MB", "max_session_size": "1GiB"}
    config = {
        "agent_memory_limits": limits,
        "memory_persistence": {"compression_enabled": False, "auto_cleanup_enabled": False},
    }
    schema = {"consistency_rules": {"constraints": constraints, "synchronization": {
        "conflict_resolution": "first_wins"}}}  # fmt: skip
    made = translate(swarm_source(tmp_path, config=config, schema=schema))
    assert made.file.quotas.agent_bytes == 200_000_000
    assert made.file.quotas.session_bytes == 2**30
    assert made.file.schedule.enabled is False
    assert made.file.policies.fallback.compression.enabled is False
    told = " ".join(made.notes)
    for part in ("the larger one holds", "= 5 is no size", "'x' is no share", "'first_wins'"):
        assert part in told


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["memory_structure", "group", "name", "path_pattern", "retention_days",
                             "consistency_rules", "constraints", "max_total_memory",
                             "retention_policies", "default_retention_days"])
            | st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_whatever_a_file_says_the_result_can_be_loaded(content: Any) -> None:
    from memtend.migrate.policies_swarm import CONFIG, SCHEMA, from_swarm  # noqa: PLC0415

    tree = Tree(content if isinstance(content, dict) else {"memory_structure": content}, "x")
    file, notes = from_swarm({SCHEMA: tree, CONFIG: tree})
    made = Translation("swarm", "x\n- y: 1", file, notes)
    assert load_policies(made.text) == file


def test_a_key_cannot_leave_its_comment(tmp_path: Path) -> None:
    key = "x\nnamespaces: [{namespace: '**', ttl: 1s}]\u2028\x85y"
    made = translate(swarm_source(tmp_path, config={"retention_policies": {key: 1}}))
    assert "\\x0anamespaces" in made.text.replace("\n# ", "").replace("\n#   ", "")
    assert load_policies(made.text) == made.file
    assert made.file.policies.resolve("a", "b").ttl_ms is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "it is empty"), ("{", "not JSON"), ("[1]", "no JSON object"),
        ('{"a": 1, "a": 2}', "key twice"), ("[" * 100_000, "nested too deeply"),
        (" " * (POLICY_BYTES_MAX + 1), "longer than"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_no_configuration(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(InvalidPolicy, match=why):
        translate(swarm_source(tmp_path, schema=content))


def test_what_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    for source, why in ((tmp_path, "no known file"), (tmp_path / "package.json", "no key of"),
                        (tmp_path / "none", "not there")):  # fmt: skip
        with pytest.raises(SourceUnknown, match=why):
            translate(source)
    with pytest.raises(SourceUnknown, match="is not one of the kinds"):
        translate(tmp_path, "other")
    shutil.copytree(LEGACY / "lifecycle/.claude", tmp_path / ".claude")
    swarm_source(tmp_path, schema={})
    with pytest.raises(SourceUnknown, match="lifecycle, swarm"):
        translate(tmp_path)
    assert translate(tmp_path, "swarm").kind == "swarm"


def test_kinds_without_rules_say_so(tmp_path: Path) -> None:
    made = translate(LEGACY / "claude-flow")
    assert made.file.policies.rules == ()
    assert "deadlines come along" in made.notes[0]
    assert translate(LEGACY / "aml-2.0.0").notes[0].startswith("aml keeps no retention")
    shutil.copytree(LEGACY / "aml-1.0.0/memory", tmp_path / "memory")
    (tmp_path / "memory/config.json").write_text('{"retention": {"days": 90}, "x": [1]}')
    assert "config.json says retention.days = 90, x = a list of 1" in translate(tmp_path).notes[1]


def test_the_command(bare_cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(LEGACY / "swarm", tmp_path / "old")
    done = bare_cli("policies", "from", "old", "--out", "policies.yaml")
    assert done.status == 0
    assert "23 rules translated from swarm" in done.told
    assert bare_cli("policies", "check", "policies.yaml").status == 0
    again = bare_cli("policies", "from", "old", "--out", "policies.yaml")
    assert "File exists" in again.told
    shown = bare_cli("policies", "from", "old")
    assert shown.out == (tmp_path / "policies.yaml").read_text()
    assert bare_cli("policies", "from", "old", "--json").json["kind"] == "swarm"
    assert bare_cli("init").status == 0
    assert bare_cli("policies", "set", "policies.yaml").status == 0
