"""One call of a hook: reads the event, opens the store, answers, and harms nobody.

Whatever goes wrong is a note on standard error, and the status is 0: an agent tool takes other
statuses as a reason to complain, and status 2 as an order to stop its tool. Only `--strict` passes
the error's code on.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final

from memtend.cli.hook_args import HOOKS, parse
from memtend.errors import InvalidSettings, MemtendError
from memtend.limits import (
    HOOK_DRAIN_BYTES_MAX,
    HOOK_EVENT_BYTES_MAX,
    HOOK_STDIN_PAUSE_S,
    HOOK_STDIN_SPARE_S,
    HOOK_STDIN_WAIT_S,
    KIB,
)

if TYPE_CHECKING:
    from memtend.hooks.event import Event
    from memtend.hooks.work import Told

_UNEXPECTED: Final = 1
_CONTINUE: Final = '{"continue":true}'
_CHUNK: Final = 64 * KIB
_TELLING: Final = {"session", "description", "task", "file", "message"}
_ASKED: Final = ("session", "description", "task", "task_type", "result", "score", "duration_s",
                 "file", "message", "to")  # fmt: skip


def run_named(arguments: Sequence[str], data: bytes | None = None) -> int:
    """Runs the hook that the first argument names. One that is none is a note as well."""
    name, *rest = arguments or ("",)
    if name in HOOKS:
        return run(name, rest, data)
    _note(f"{name[:64]!r} is no hook; there are {', '.join(HOOKS)}")
    return InvalidSettings.code if "--strict" in arguments else 0


def run(name: str, arguments: Sequence[str], data: bytes | None = None) -> int:
    """The exit status. `data` is the event; without it, standard input is read."""
    given, notes = parse(arguments)
    strict = "strict" in given
    said: list[str] = []
    with _Harmless() as harm:
        from memtend.hooks.event import read_event  # noqa: PLC0415 — within what may fail

        wait_s = HOOK_STDIN_SPARE_S if _TELLING & given.keys() else HOOK_STDIN_WAIT_S
        event = read_event(_stdin(wait_s) if data is None else data)
        said.append(_CONTINUE if event.caller or "as_json" in given else "")
        _note(*notes, *([event.note] if event.note else []))
        if strict and notes:
            raise InvalidSettings(name="hook", why="; ".join(notes))
        said[0] = _answer(name, given, event)
    if harm.note:
        _note(harm.note)
    text = said[0] if said else ""
    if text:
        with _Harmless():  # a caller that does not listen is none of our business
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    return harm.status if strict else 0


def _answer(name: str, given: dict[str, str], event: Event) -> str:
    from memtend.hooks.running import answer  # noqa: PLC0415

    told = _told(name, given, event)
    _note(*told.notes)
    return answer(name, told, event, as_json="as_json" in given)


def _told(name: str, given: dict[str, str], event: Event) -> Told:
    from memtend.agent.memory import AgentMemory  # noqa: PLC0415
    from memtend.hooks.running import run as run_hook  # noqa: PLC0415
    from memtend.hooks.work import Asked, Work, short_name  # noqa: PLC0415

    asked = Asked._make([*map(given.get, _ASKED), "with_input" in given])
    # The folder of the project stays, whatever folder the agent is in just now.
    folder = os.environ.get("CLAUDE_PROJECT_DIR") or event.text("cwd") or os.getcwd()
    project = os.path.basename(os.path.normpath(folder)) or "default"
    session = asked.session or event.text("session_id")
    agent = given.get("agent") or os.environ.get("MEMTEND_AGENT")
    with AgentMemory.open(
        given.get("store") or os.environ.get("MEMTEND_STORE_URL") or "memtend.db",
        agent=short_name(agent or event.text("agent_id", "agent_type") or "main"),
        swarm=short_name(given.get("swarm") or os.environ.get("MEMTEND_SWARM") or project),
        session=short_name(session) if session else None,
        durability=os.environ.get("MEMTEND_DURABILITY", "full"),
        key_path=os.environ.get("MEMTEND_KEY_PATH"),
        create=False,
    ) as swarm:
        return run_hook(name, Work(swarm, asked, event, folder))


def _stdin(wait_s: float) -> bytes:
    """What stands on standard input, as far as it comes; a terminal says nothing.

    The rest of an event that is too long is read and dropped: whoever writes it into a pipe must
    not be hit by its end.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return b""
    try:
        number = sys.stdin.fileno()
    except OSError:  # not a file: somebody runs the command within a program
        return sys.stdin.buffer.read(HOOK_EVENT_BYTES_MAX + 1)
    kept = bytearray()
    read = 0
    while read < HOOK_DRAIN_BYTES_MAX and select.select([number], [], [], wait_s)[0]:
        chunk = os.read(number, _CHUNK)
        if not chunk:
            break
        read += len(chunk)
        kept += chunk[: max(HOOK_EVENT_BYTES_MAX + 1 - len(kept), 0)]
        wait_s = HOOK_STDIN_PAUSE_S
    return bytes(kept)


def _note(*texts: str) -> None:
    with _Harmless():
        for text in texts:
            plain = "".join(c if c.isprintable() else " " for c in text)
            sys.stderr.write(f"memtend hook: {plain[:500]}\n")


class _Harmless:
    """Keeps every error in: `note` says what it was, `status` its code. Ctrl-C passes."""

    note = ""
    status = 0

    def __enter__(self) -> _Harmless:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        told = isinstance(error, MemtendError)
        self.status = error.code if isinstance(error, MemtendError) else _UNEXPECTED
        self.note = str(error) if told else f"{type(error).__name__}: {error}"
        if isinstance(error, MemtendError):
            self.note += f" ({error.hint})"
        return True
