"""Before and after an edit: who else is at the file, and that it was edited.

Advice, not a lock: a hook never stops an edit. Who must be alone takes a lease. An edit is a field
of the map of its file, one per agent and session, so that agents who edit at the same time do not
overwrite each other's word; it lives for an hour.
"""

from __future__ import annotations

from typing import Any, Final

from memtend.durations import show_duration
from memtend.hooks.work import EDITS, FILES, Told, Work, short_name
from memtend.limits import HOOK_EDIT_KEEP_MS, HOOK_TEXT_CHARS_MAX
from memtend.model.quoting import quote_segment

_MINUTE_MS: Final = 60_000
_NO_FILE: Final = "no file was named: --file, or tool_input.file_path in the event"


def before(work: Work) -> Told:
    """Tell who else edits this file or did within the hour, and say that this agent does now."""
    file = work.file
    if file is None:
        return Told(notes=(_NO_FILE,))
    others = _others(work, file)
    _say(work, file, "editing")
    facts = {"file": file, "others": others}
    if not others:
        return Told(facts=facts)
    lines = tuple(f"- {_line(work, one)}" for one in others)
    head = f"Others are at {file}; look at what they changed before you do:"
    return Told((head, *lines), warning=f"{file}: {_line(work, others[0])}", facts=facts)


def after(work: Work) -> Told:
    """Keep that this agent edited this file."""
    file = work.file
    if file is None:
        return Told(notes=(_NO_FILE,))
    failed = work.event.failed is True or work.asked.result in ("false", "failure", "failed")
    _say(work, file, "failed" if failed else "edited")
    if work.session is not None and not failed:
        home = work.home
        work.memory.add(home, FILES, file[:HOOK_TEXT_CHARS_MAX])
        work.memory.increment(home, EDITS)
    return Told(facts={"file": file, "failed": failed})


def _say(work: Work, file: str, state: str) -> None:
    value = {
        "agent": work.agent, "session": work.session, "state": state, "at_ms": work.now_ms,
        "file": file, **work.tool,
    }  # fmt: skip
    place = _place(work, file)
    work.memory.put_field(*place, work.actor, value, ttl_ms=HOOK_EDIT_KEEP_MS)


def _others(work: Work, file: str) -> list[dict[str, Any]]:
    """What others said of this file within the hour, the newest first."""
    found = [
        {name: value.get(name) for name in ("agent", "session", "state", "at_ms")}
        for actor, value in work.memory.fields(*_place(work, file)).items()
        if actor != work.actor and isinstance(value, dict) and isinstance(value.get("at_ms"), int)
    ]
    return sorted(found, key=lambda one: -one["at_ms"])


def _place(work: Work, file: str) -> tuple[str, str]:
    return f"{work.swarm.layout.root}/edits", quote_segment(short_name(file))


def _line(work: Work, one: dict[str, Any]) -> str:
    ago_ms = max(work.now_ms - one["at_ms"], 0) // _MINUTE_MS * _MINUTE_MS
    when = f"{show_duration(ago_ms)} ago" if ago_ms else "just now"
    session = f" in session {one['session']}" if one["session"] else ""
    what = {"editing": "is editing it", "failed": "tried to edit it"}.get(one["state"], "edited it")
    return f"{one['agent']}{session} {what} ({when})"
