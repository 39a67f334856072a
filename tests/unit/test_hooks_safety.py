"""Hooks harm nobody: secrets are left out, and whatever comes in, the caller goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend.cli.hook_args import HOOKS, OPTIONS
from memtend.errors import InvalidSettings, InvalidValue, StoreMissing
from memtend.hooks.redaction import REDACTED, redact, redacted
from memtend.limits import HOOK_EVENT_BYTES_MAX
from memtend.memory import Memory
from memtend.store.verify import verify_store
from tests.fixtures.hooks import Call, event


def everything(path: str = "memtend.db") -> str:
    with Memory.open(path) as memory:
        rows = memory.store.engine.script("SELECT CAST(value AS TEXT) FROM sibling")
        heads = memory.store.engine.script("SELECT key || ' ' || field FROM sibling")
        return json.dumps([rows, heads])


def test_contents_are_not_kept_unless_asked_for(hook: Call) -> None:
    hook("post-edit", stdin=event("post-edit"))
    kept = everything()
    assert "config/.env" in kept
    assert "hunter2" not in kept
    assert "sk-live" not in kept
    hook("post-edit", "--with-input", stdin=event("post-edit"))
    kept = everything()
    assert "API_KEY" in kept
    assert REDACTED in kept
    assert "hunter2" not in kept
    assert "sk-live" not in kept


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-0123456789abcdefgh", "ghp_0123456789abcdefghij", "AKIA0123456789ABCDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "postgresql://ada:hunter2hunter2@db/x",
        "Authorization: Bearer abcdefghijklmnop", "password = 'hunter2hunter2'",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2hunter2", "aws_secret_key=hunter2hunter2",
        '{"api_key": "hunter2hunter2"}', 'password = "two hunter2 words"',
        "Authorization: Basic hunter2hunter2==", "mysql --password hunter2",
        "sk_live_0123456789abcdefgh", "AIza0123456789012345678901234567890123",
    ],
)  # fmt: skip
def test_obvious_secrets_are_left_out(secret: str) -> None:
    found = redact(f"before {secret} after")
    assert REDACTED in found
    assert found.startswith("before ")
    assert "hunter2" not in found
    assert redact(found).count("hunter2") == 0
    assert redact("a token ring, a secretary and a passage") == (
        "a token ring, a secretary and a passage"
    )


def test_what_is_kept_of_an_input_is_small_and_storable() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"in": [deep]}
    found = redacted({"password": "x", "n": 2**60, "deep": deep, "many": list(range(999)),
                      "long": "y" * 99_999, "none": None})  # fmt: skip
    assert found["password"] == REDACTED
    assert (found["n"], len(found["many"]), len(found["long"])) == (str(2**60), 64, 4_096)
    assert found["none"] is None
    assert len(json.dumps(found)) < 10_000


def test_the_caller_goes_on_whatever_is_wrong(
    bare_hook: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a store, with a broken one, with nonsense: a note, and status 0."""
    missing = bare_hook("session-start", stdin=event("session-start"))
    assert (missing.status, missing.json) == (0, {"continue": True})
    assert "there is no store" in missing.told
    strict = bare_hook("session-start", "--strict", "--json")
    assert (strict.status, strict.json) == (StoreMissing.code, {"continue": True})
    Path("memtend.db").write_bytes(b"no database" * 1_000)
    broken = bare_hook("pre-edit", stdin=event("pre-edit"))
    assert (broken.status, broken.json) == (0, {"continue": True})
    monkeypatch.setenv("MEMTEND_DURABILITY", "none")
    assert bare_hook("pre-edit", "--strict", stdin=event("pre-edit")).status == (
        InvalidSettings.code
    )


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"not JSON", "not JSON"),
        (b"[1]", "a JSON list, not an object"),
        (b"{" * 5_000, "not JSON"),
        (b'{"a":' + b"[" * 2_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"x" * (HOOK_EVENT_BYTES_MAX + 1), "over 16 MiB"),
        (b"  \n", ""),
    ],
)
def test_an_event_that_cannot_be_read_is_no_event(hook: Call, data: bytes, note: str) -> None:
    found = hook("session-start", stdin=data)
    assert found.status == 0
    assert note in found.told


def test_options_that_make_no_sense(hook: Call) -> None:
    for arguments in ((), ("no-hook",), ("pre-edit", "--file"), ("pre-edit", "stray"),
                      ("post-task", "--task-id", "t", "--score", "much", "--result", "success"),
                      ("post-task", "--task-id", "t", "--result", "great")):  # fmt: skip
        found = hook(*arguments)
        assert (found.status, found.out) == (0, "")
        assert found.told.startswith("memtend hook: ")
        assert hook(*arguments, "--strict").status in (InvalidSettings.code, InvalidValue.code)


def test_strange_names_find_their_places(hook: Call) -> None:
    for name in ("../../etc", "a b", "ü" * 90, "x" * 5_000, "q=", "\x00", "/"):
        found = hook("session-start", "--strict", stdin=event(
            "session-start", session_id=name, agent_id=name, cwd=f"/srv/{name}"))  # fmt: skip
        assert (found.status, found.told) == (0, "")
        long = event("pre-edit", session_id=name, tool_input={"file_path": name})
        assert hook("pre-edit", "--strict", stdin=long).status == 0


def test_grants_hold_for_hooks(hook: Call) -> None:
    with Memory.open("memtend.db") as memory:
        memory.config.grant("other", "**", "write", "owner")
    found = hook("session-start", stdin=event("session-start"))
    assert (found.status, found.json) == (0, {"continue": True})
    assert "may not" in found.told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
FIELDS = (
    "session_id", "cwd", "hook_event_name", "tool_name", "tool_input", "tool_response", "prompt",
    "message", "source", "reason", "agent_id", "tool_use_id", "file_path", "description",
)  # fmt: skip
EVENTS_AT_ALL = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(FIELDS), JSON | st.fixed_dictionaries({"file_path": JSON})).map(
        lambda value: json.dumps(value).encode()
    ),
)
ARGUMENTS = st.lists(
    st.sampled_from([flag for option in OPTIONS for flag in option.flags if flag != "--store"])
    | st.text(max_size=20),
    max_size=6,
)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, *HealthCheck]
)
@given(st.sampled_from(list(HOOKS)), ARGUMENTS, EVENTS_AT_ALL)
def test_whatever_comes_in_the_caller_goes_on(
    hook: Call, name: str, arguments: list[str], data: bytes
) -> None:
    """Status 0 without --strict and never 2 with it, no traceback, an answer that can be read."""
    found = hook(name, *arguments, stdin=data)
    strict = "--strict" in arguments
    assert found.status == 0 or (strict and found.status != 2)
    assert "Traceback" not in found.told
    if found.out.startswith("{"):
        assert found.json["continue"] is True
    with Memory.open("memtend.db", create=False) as memory:
        assert verify_store(memory.store).ok
