"""What a hook works with, and what it has to say."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.hooks.event import Event
from memtend.hooks.redaction import redact, redacted, sizes
from memtend.limits import HOOK_NOTE_CHARS_MAX, HOOK_TEXT_CHARS_MAX, LAYOUT_NAME_BYTES_MAX
from memtend.model.quoting import quote_segment

if TYPE_CHECKING:
    from memtend.agent.memory import AgentMemory
    from memtend.memory import Memory


EDITS: Final = "edits"
FILES: Final = "files"
"""In the session's namespace: the counter of its edits, the set of files it edited."""


class Asked(NamedTuple):
    """What the command line says; it goes before what the event says."""

    session: str | None = None
    description: str | None = None
    task: str | None = None
    task_type: str | None = None
    result: str | None = None
    score: str | None = None
    duration_s: str | None = None
    file: str | None = None
    message: str | None = None
    to: str | None = None
    with_input: bool = False


class Told(NamedTuple):
    """`lines` are for the agent, `warning` for its user, `notes` for whoever set the hook up;
    `facts` is the same for programs."""

    lines: tuple[str, ...] = ()
    warning: str = ""
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = {}  # noqa: RUF012 — never changed


class Work(NamedTuple):
    """One call of a hook. `folder` is where the agent works, as far as anybody said."""

    swarm: AgentMemory
    asked: Asked
    event: Event
    folder: str

    @property
    def memory(self) -> Memory:
        return self.swarm.memory

    @property
    def now_ms(self) -> int:
        return self.swarm.clock.now_ms()

    @property
    def agent(self) -> str:
        return self.swarm.agent

    @property
    def session(self) -> str | None:
        return self.swarm.session

    @property
    def home(self) -> str:
        """The namespace of the session; only where there is one."""
        return self.swarm.layout.session(self.session or "").namespace

    @property
    def actor(self) -> str:
        """Who edits: two sessions of one agent are two."""
        own = quote_segment(self.agent)
        return f"{own}.{quote_segment(self.session)}" if self.session else own

    @property
    def description(self) -> str | None:
        """What the task is, in somebody's words."""
        said = (
            self.asked.description
            or self.event.input_text("description", "prompt", "task")
            or self.event.text("prompt", "description")
        )
        return redact(said[:HOOK_TEXT_CHARS_MAX])[:HOOK_NOTE_CHARS_MAX] if said else None

    @property
    def task(self) -> str | None:
        """The name of the task; a call before and a call after it must find the same one."""
        named = self.asked.task or self.event.text("tool_use_id", "task_id")
        if named:
            return short_name(named)
        if (said := self.description) is not None:
            return "task-" + sha256(f"{self.session}\0{said}".encode()).hexdigest()[:16]
        return None

    @property
    def file(self) -> str | None:
        """The file meant, below the folder where it lies below it."""
        named = self.asked.file or self.event.file
        if named is None:
            return None
        path = PurePath(named)
        if path.is_absolute() and self.folder and path.is_relative_to(self.folder):
            return str(path.relative_to(self.folder))
        return str(path)

    @property
    def tool(self) -> dict[str, Any]:
        """What is kept of the tool's call: names and sizes, or, if asked for, redacted contents."""
        name, given = self.event.text("tool_name", limit=128), self.event.tool_input
        kept = redacted(given) if self.asked.with_input else sizes(given)
        return {"tool": name, "input": kept} if name or given else {}


def short_name(name: str) -> str:
    """A name that fits into paths and labels whatever is in it; of one that does not, the plain
    beginning is kept."""
    if name.isprintable() and len(quote_segment(name)) <= LAYOUT_NAME_BYTES_MAX:
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    plain = "".join(c for c in name[:64] if c.isascii() and c.isalnum())
    return f"{plain}-{digest}" if plain else digest
