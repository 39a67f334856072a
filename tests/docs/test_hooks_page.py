"""The settings on docs/howto/hooks.md are JSON, and each command in them runs on its event."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memtend.cli.hook_args import HOOKS
from memtend.memory import Memory
from tests.docs.examples import environment
from tests.fixtures.hooks import EVENTS

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "hooks.md"
SETTINGS = [
    json.loads(block)
    for block in re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
]
EVENT_OF = {"UserPromptSubmit": "prompt"}


def commands() -> Iterator[tuple[str, str, str]]:
    for settings in SETTINGS:
        for caller, entries in settings["hooks"].items():
            for entry in entries:
                for one in entry["hooks"]:
                    assert one["type"] == "command"
                    yield caller, one["command"], re.findall(r"hook (\S+)", one["command"])[0]


FOUND = list(commands())


def test_the_page_shows_both_tools() -> None:
    assert len(SETTINGS) == 2
    assert {name for _, _, name in FOUND} == set(HOOKS) - {"memory-cleanup"}
    for name in HOOKS:
        assert f"| `{name}` |" in PAGE.read_text()


@pytest.mark.parametrize(("caller", "command", "name"), FOUND, ids=[c for _, c, _ in FOUND])
def test_each_command_runs(
    caller: str, command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Memory.open("memtend.db").close()
    event = json.loads((EVENTS / f"{EVENT_OF.get(caller, name)}.json").read_text())
    assert event["hook_event_name"] == caller
    given: dict[str, Any] = {**event["tool_input"]} if "tool_input" in event else {}
    surroundings = {
        **environment(), **SETTINGS[0]["env"], "CLAUDE_PROJECT_DIR": os.getcwd(),
        "TOOL_SUCCESS": "true",
        **{f"TOOL_INPUT_{key}": str(value) for key, value in given.items()},
    }  # fmt: skip
    ran = subprocess.run(
        ["bash", "-c", f"{command} --strict"], env=surroundings, input=json.dumps(event),
        check=False, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["continue"] is True
    with Memory.open("memtend.db") as memory:
        kept = [one.name for one in memory.stats().namespaces if one.name.startswith("swarm-demo/")]
    assert bool(kept) is (name != "notify" and caller != "UserPromptSubmit")
