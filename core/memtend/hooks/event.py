"""The event on standard input: JSON as Claude Code sends it, or whatever else stands there.

Nothing in it is believed: every field may be missing, of another type or endless. What cannot be
read is a note and counts as no event.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from memtend.limits import HOOK_EVENT_BYTES_MAX, HOOK_TEXT_CHARS_MAX, MIB

_FILES = ("file_path", "notebook_path", "path")


class Event(NamedTuple):
    """`note` says why there is less in it than was sent."""

    fields: dict[str, Any]
    note: str = ""

    def text(self, *names: str, limit: int = HOOK_TEXT_CHARS_MAX) -> str | None:
        """The first of these fields that holds text, cut to `limit` characters."""
        return _text(self.fields, names, limit)

    def input_text(self, *names: str, limit: int = HOOK_TEXT_CHARS_MAX) -> str | None:
        """The same of what the tool was given."""
        return _text(self.tool_input, names, limit)

    @property
    def caller(self) -> str | None:
        """The name under which the agent tool knows the event; None where no tool sent one."""
        return self.text("hook_event_name")

    @property
    def tool_input(self) -> dict[str, Any]:
        given = self.fields.get("tool_input")
        return given if isinstance(given, dict) else {}

    @property
    def file(self) -> str | None:
        return self.input_text(*_FILES) or self.text("file_path", "file")

    @property
    def failed(self) -> bool | None:
        """Whether the tool says that it failed; None where it says nothing of it."""
        if self.caller == "PostToolUseFailure":
            return True
        response = self.fields.get("tool_response")
        said = response if isinstance(response, dict) else {}
        if said.get("is_error") is True or said.get("success") is False or said.get("error"):
            return True
        return False if self.caller == "PostToolUse" or said.get("success") is True else None


def read_event(data: bytes) -> Event:
    """What was sent. `data` is cut by the reader after `HOOK_EVENT_BYTES_MAX` + 1 bytes."""
    if len(data) > HOOK_EVENT_BYTES_MAX:
        return Event({}, f"the event is over {HOOK_EVENT_BYTES_MAX // MIB} MiB and was not read")
    if not data.strip():
        return Event({})
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return Event({}, f"standard input is not JSON: {error}")
    if not isinstance(fields, dict):
        return Event({}, f"the event is a JSON {type(fields).__name__}, not an object")
    return Event(fields)


def _text(fields: dict[str, Any], names: tuple[str, ...], limit: int) -> str | None:
    for name in names:
        found = fields.get(name)
        if isinstance(found, str) and found.strip():
            return found[:limit]
    return None
