"""What each hook keeps and says (docs/howto/hooks.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memtend.agent.memory import AgentMemory
from memtend.cli.hook_args import HOOKS
from memtend.limits import HOOK_TOLD_CHARS_MAX
from tests.fixtures.cli import Cli
from tests.fixtures.hooks import EVENTS, Call, event, swarm

SESSION = "5e5510d1-0001"


def test_a_session_begins_with_what_the_swarm_knows(hook: Call) -> None:
    assert hook("session-start", stdin=event("session-start")).context == ""
    with swarm("ada") as ada:
        ada.record_decision("storage", "SQLite", rationale="one file")
        ada.share_knowledge("testing", {"command": "make\ttest\n"})
        ada.record_progress("parser", status="in_progress", note="half of it")
        ada.record_progress("old", status="completed")
        ada.send("main", "look at the parser")
    found = hook("session-start", stdin=event("session-start")).context
    lines = found.splitlines()
    assert lines[0] == "Memory of the swarm 'demo', as its agents left it (notes, not orders):"
    assert lines[1:] == [
        "- decision storage: SQLite (because one file) [ada, just now]",
        '- knowledge testing: {"command":"make\\ttest\\n"} [ada, just now]',
        "- progress parser: in_progress: half of it [ada, just now]",
        "- 1 messages wait for main",
    ]
    with swarm(session=SESSION) as main:
        state = main.state()
        assert state is not None
        assert (state["status"], state["source"], state["folder"]) == (
            "active", "startup", "/srv/demo",
        )  # fmt: skip
        assert main.session_context()["agent"] == "main"


def test_what_is_told_is_bounded(hook: Call) -> None:
    with swarm("ada") as ada:
        for n in range(50):
            ada.record_decision("long", "x" * 5_000, decision_id=f"d{n}")
    found = hook("session-start", "--swarm", "demo").out
    assert found.count("- decision") == 5
    assert len(found) < HOOK_TOLD_CHARS_MAX


def test_a_session_ends_with_a_summary(hook: Call) -> None:
    hook("session-start", stdin=event("session-start"))
    for file in ("a.py", "b.py", "a.py"):
        sent = event("post-edit", tool_input={"file_path": f"/srv/demo/{file}"})
        hook("post-edit", stdin=sent)
    hook("session-end", stdin=event("session-end"))
    with swarm(session=SESSION) as main:
        [said] = main.progress(f"session {SESSION}")
        assert said.note.startswith("3 edits of 2 files in ")
        assert said.data["files"] == ["a.py", "b.py"]
        assert said.data["reason"] == "prompt_input_exit"
        state = main.state()
        assert state is not None
        assert state["status"] == "offline"
    assert "3 edits of 2 files" in hook("session-start", stdin=event("session-start")).context
    assert "no session was named" in hook("session-end").told


def test_a_task_is_recorded_from_its_beginning_to_its_end(hook: Call) -> None:
    with swarm("ada") as ada:
        ada.record_decision("dates", "ISO 8601 only", rationale="the parser stays small")
        ada.share_knowledge("colour", "blue")
    found = hook("pre-task", stdin=event("pre-task")).context
    assert "ISO 8601 only" in found
    assert "blue" not in found
    with swarm() as main:
        [begun] = main.progress("toolu_03")
        assert (begun.status, begun.note) == ("in_progress", "Write the parser of dates")
        assert begun.data["input"] == {"description": 25, "prompt": 57, "subagent_type": 5}
    hook("post-task", stdin=event("post-task"))
    with swarm() as main:
        [ended] = main.progress("toolu_03")
        assert (ended.status, ended.done) == ("completed", 1.0)
        [outcome] = main.outcomes()
        assert (outcome.task_type, outcome.outcome_type) == ("coder", "success")
        assert outcome.duration_s is not None
        assert outcome.duration_s >= 0


@pytest.mark.parametrize(
    ("said", "result"),
    [("completed", "success"), ("failed", "failure"), ("partial", "partial_success")],
)
def test_a_task_by_options_as_another_tool_gives_them(hook: Call, said: str, result: str) -> None:
    named = ("--task-id", "auth-123", "--agent-id", "coder-456")
    began = hook("pre-task", "--description", "Build it", *named, "--auto-spawn-agents", "true")
    assert (began.status, "'--auto-spawn-agents' is not known" in began.told) == (0, True)
    ended = hook("post-task", *named, "--status", said, "--analyze-performance", "--score=0.5")
    assert ended.status == 0
    with swarm("coder-456", Path.cwd().name) as coder:
        [outcome] = coder.outcomes()
        assert (outcome.outcome_type, outcome.success_score) == (result, 0.5)


def test_a_result_is_never_guessed(hook: Call) -> None:
    ended = hook("post-task", "--task-id", "t", "--swarm", "demo")
    assert "no result was said" in ended.told
    hook("post-task", "--swarm", "demo", "--strict", stdin=event("post-task", tool_response={
        "is_error": True}))  # fmt: skip
    with swarm() as main:
        assert [one.outcome_type for one in main.outcomes()] == ["failure"]
        assert {one.status for one in main.progress()} == {"ended", "failed"}
    assert "neither a description nor a task" in hook("post-task").told
    assert "neither a description nor a task" in hook("pre-task").told


def test_a_prompt_brings_back_what_fits_its_words(hook: Call) -> None:
    with swarm("ada") as ada:
        ada.record_decision("database", "SQLite", context={"for": "the parser of dates"})
    found = hook("pre-task", stdin=event("prompt"))
    assert found.json["hookSpecificOutput"]["hookEventName"] == "UserPromptSubmit"
    with swarm() as main:
        assert main.progress() == []  # a prompt is not kept
    assert "SQLite" in found.context


def test_an_edit_tells_the_next_editor(hook: Call) -> None:
    alone = hook("pre-edit", stdin=event("pre-edit"))
    assert alone.json == {"continue": True, "suppressOutput": True}
    assert hook("pre-edit", stdin=event("pre-edit")).json == alone.json  # not about oneself
    other = event("pre-edit", session_id="other")
    found = hook("pre-edit", "--agent", "bob", stdin=other)
    who = f"main in session {SESSION} is editing it (just now)"
    assert found.json["systemMessage"] == f"src/parser.py: {who}"
    assert who in found.context
    edited = event("post-edit", tool_input=event("pre-edit")["tool_input"])
    hook("post-edit", stdin=edited)
    again = hook("pre-edit", "--file", "src/parser.py", "--swarm", "demo", "--session-id", "x")
    assert f"main in session {SESSION} edited it" in again.out
    assert "bob in session other is editing it" in again.out
    assert "no file was named" in hook("pre-edit").told


def test_the_project_stays_the_same_in_its_subfolders(
    hook: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", "/srv/demo")
    hook("post-edit", stdin=event("post-edit", cwd="/srv/demo/src"))
    with swarm() as main:
        assert main.memory.scan("swarm-demo/edits") == []
        [field] = main.memory.fields("swarm-demo/edits", "q=config=2F.env").values()
        assert (field["file"], field["state"]) == ("config/.env", "edited")


def test_a_failed_edit_is_no_edit(hook: Call) -> None:
    hook("post-edit", stdin=event("post-edit", tool_response={"success": False}))
    hook(
        "post-edit", "--session-id", SESSION, "--swarm", "demo", "--file", "a", "--success", "false"
    )
    with swarm() as main:
        home = main.layout.session(SESSION).namespace
        assert main.memory.members(home, "files") == []


def test_a_notice_is_a_message(hook: Call) -> None:
    got = []
    with swarm("bob") as bob:
        bob.initialize()
        hook("notify", stdin=event("notify"))
        hook("notify", "--message", "for bob", "--to", "bob", "--swarm", "demo")
        for _ in range(2):
            [message] = bob.receive()
            bob.messages.ack(message)
            got.append(message)
        first, second = got
        assert first.body["text"] == "Claude needs your permission to use Bash"
        assert (first.body["type"], first.body["session"]) == ("permission_prompt", SESSION)
        assert (second.body["text"], bob.sender_of(second)) == ("for bob", "main")
    assert "no message was given" in hook("notify").told


def test_cleaning_up_forgets_the_session_and_sweeps_a_little(hook: Call) -> None:
    hook("session-start", stdin=event("session-start"))
    hook("post-edit", stdin=event("post-edit"))
    found = hook("memory-cleanup", "--session-id", SESSION, "--swarm", "demo", "--json").json
    assert (found["forgotten"], found["swept"]) == (2, 0)
    with swarm(session=SESSION) as main:
        assert main.session_context() == {}
    hook("session-end", stdin=event("session-end"))
    with swarm(session=SESSION) as main:
        [said] = main.progress(f"session {SESSION}")
        assert said.note == "0 edits of 0 files"
    assert hook("memory-cleanup").status == 0


def test_the_commands_help_is_that_of_the_hooks(cli: Cli) -> None:
    """Through the tree, each hook takes its own options and does the same."""
    assert {path.stem for path in EVENTS.glob("*.json")} ^ set(HOOKS) == {
        "prompt",
        "memory-cleanup",
    }
    for name in HOOKS:
        shown = cli("hook", name, "--help")
        assert shown.status == 0
        assert "--session-id" in shown.out
    sent = json.dumps(event("session-start"))
    assert cli("--verbose", "hook", "session-start", "--swarm", "demo", stdin=sent).status == 0
    ran = cli("hook", "post-edit", "--file", "a.py", "--success", "true", "--swarm", "demo",
              "--session-id", "s", "--with-input", stdin="")  # fmt: skip
    assert (ran.status, ran.out) == (0, "")
    with AgentMemory.open("memtend.db", agent="main", swarm="demo", session="s") as main:
        assert main.memory.members(main.layout.session("s").namespace, "files") == ["a.py"]
