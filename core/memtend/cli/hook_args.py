"""The options of the hook commands: one table, read twice.

`cli.hooks` makes the command's help from it, and `parse` reads arguments by it without loading the
command line's machinery, which would cost a hook half its time. An argument that is not known is a
note and never stops anything: settings written for another tool pass more than we know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class Option(NamedTuple):
    """`flags` are its names, the first of which is shown; `metavar` empty is a plain switch."""

    name: str
    flags: tuple[str, ...]
    metavar: str
    help: str


OPTIONS: Final = (
    Option("session", ("--session-id",), "ID", "The run; else session_id of the event."),
    Option("agent", ("--agent", "--agent-id"), "NAME", "Who acts; else MEMTEND_AGENT, else main."),
    Option("swarm", ("--swarm",), "NAME",
           "Whose memory; else MEMTEND_SWARM, else the name of the folder."),
    Option("store", ("--store",), "URL", "As everywhere; else MEMTEND_STORE_URL."),
    Option("description", ("--description",), "TEXT", "What the task is."),
    Option("task", ("--task-id", "--task"), "ID", "Its name; else it follows from the rest."),
    Option("task_type", ("--task-type",), "KIND", "What its outcome is learned under."),
    Option("result", ("--result", "--status", "--success"), "RESULT",
           "success, failure, partial_success, timeout or conflict."),
    Option("score", ("--score",), "SHARE", "How well it went, between 0 and 1."),
    Option("duration_s", ("--duration",), "SECONDS", "How long it took, where nobody measured."),
    Option("file", ("--file",), "PATH", "The file that is edited."),
    Option("message", ("--message",), "TEXT", "What to tell."),
    Option("to", ("--to",), "NAME", "Whom to tell; else the whole swarm."),
    Option("with_input", ("--with-input",), "",
           "Keep what the tool was given, cut and redacted; else only names and sizes."),
    Option("as_json", ("--json",), "", "Answer with JSON, also where no event says who asks."),
    Option("strict", ("--strict",), "", "Fail as other commands do: the status is the error's."),
)  # fmt: skip
COMMON: Final = ("session", "agent", "swarm", "store", "with_input", "as_json", "strict")
HOOKS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "session-start": ((), "A session begins: tell the agent what its swarm knows."),
    "session-end": ((), "A session ends: keep a summary of it."),
    "pre-task": (
        ("description", "task", "task_type"),
        "A task begins: record it, and tell what memory has on the like of it.",
    ),
    "post-task": (
        ("description", "task", "task_type", "result", "score", "duration_s"),
        "A task has ended: record how, and how long it took.",
    ),
    "pre-edit": (("file",), "A file is about to be edited: tell who else is at it."),
    "post-edit": (("file", "result"), "A file was edited: record it for the others."),
    "notify": (("message", "to"), "Send a message to one agent or to the swarm."),
    "memory-cleanup": ((), "Sweep a little and forget the session."),
}
"""Each hook with its own options and its help."""
_BY_FLAG: Final = {flag: option for option in OPTIONS for flag in option.flags}


class Parsed(NamedTuple):
    given: dict[str, str]
    notes: tuple[str, ...]


def parse(arguments: Sequence[str]) -> Parsed:
    """What the options say. Switches are present as "1"; the last one of two equal ones holds."""
    given: dict[str, str] = {}
    notes: list[str] = []
    waiting = list(reversed(arguments))
    while waiting:
        flag, mark, value = waiting.pop().partition("=")
        option = _BY_FLAG.get(flag)
        follows = bool(waiting) and not waiting[-1].startswith("--")
        if option is None:
            notes.append(f"{flag[:64]!r} is not known here and was ignored")
            if flag.startswith("-") and not mark and follows:
                waiting.pop()
        elif not option.metavar:
            given[option.name] = "1"
        elif mark or follows:
            given[option.name] = value if mark else waiting.pop()
        else:
            notes.append(f"{flag} was given without a value")
    return Parsed(given, tuple(notes))
