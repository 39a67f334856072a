"""Runs one hook on an open swarm memory, and puts what it says into the form its caller reads."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import orjson

from memtend.hooks.event import Event
from memtend.hooks.work import Told, Work
from memtend.limits import HOOK_BUSY_WAIT_MS, HOOK_TOLD_CHARS_MAX

_SPEAKING: Final = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse")
"""Events of Claude Code whose answer may add to what the agent reads."""


_HOMES: Final = {
    "session-start": ("sessions", "start"),
    "session-end": ("sessions", "end"),
    "pre-task": ("tasks", "before"),
    "post-task": ("tasks", "after"),
    "pre-edit": ("edits", "before"),
    "post-edit": ("edits", "after"),
    "notify": ("notices", "notify"),
    "memory-cleanup": ("sessions", "clean_up"),
}
"""Module and function of each hook; only the one that is called is loaded."""


def run(name: str, work: Work) -> Told:
    """Raises `MemtendError`; whoever calls decides whether that matters."""
    module, function = _HOMES[name]
    work.memory.store.engine.hurry(HOOK_BUSY_WAIT_MS)
    hook: Callable[[Work], Told] = getattr(import_module(f"memtend.hooks.{module}"), function)
    return hook(work)


def answer(name: str, told: Told, event: Event, *, as_json: bool) -> str:
    """What goes to standard output: JSON for an agent tool or with `as_json`, else text."""
    text = "\n".join(told.lines)
    if len(text) > HOOK_TOLD_CHARS_MAX:
        text = text[: HOOK_TOLD_CHARS_MAX - 1] + "…"
    if event.caller is not None:
        return orjson.dumps(_for_tool(event.caller, text, told.warning)).decode()
    if as_json:
        whole = {"continue": True, "hook": name, "text": text, "notes": told.notes}
        return orjson.dumps({**whole, **told.facts}, default=str).decode()
    return text


def _for_tool(caller: str, text: str, warning: str) -> dict[str, Any]:
    """The answer in the form of Claude Code's hooks. It never asks to stop anything."""
    said: dict[str, Any] = {"continue": True, "suppressOutput": True}
    if warning:
        said["systemMessage"] = warning
    if text and caller in _SPEAKING:
        said["hookSpecificOutput"] = {"hookEventName": caller, "additionalContext": text}
    return said
