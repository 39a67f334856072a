"""Sessions begin, end and are cleaned up."""

from __future__ import annotations

from typing import Final

from memtend.durations import show_duration
from memtend.hooks.recall import Remembered, recent
from memtend.hooks.work import EDITS, FILES, Told, Work, short_name
from memtend.limits import HOOK_FILES_TOLD, HOOK_SWEEP_ROWS
from memtend.model.layout import Kind

_TOLD_OF_EACH: Final = 5
_SESSION: Final = "session "
_ENDED: Final = ("completed", "failed", "ended")


def start(work: Work) -> Told:
    """Say that the agent is here, and tell it what its swarm knows."""
    swarm = work.swarm
    source = work.event.text("source", limit=64)
    swarm.initialize(status="active", folder=work.folder or None, source=source)
    if work.session is not None:
        before = swarm.session_context()
        began = before.get("started_ms") or work.now_ms
        swarm.update_session_context(
            agent=work.agent, started_ms=began, source=source, ended_ms=None
        )
    kinds = (Kind.DECISION, Kind.KNOWLEDGE, Kind.PROGRESS)
    found = recent(work.memory, swarm.layout, kinds)
    lines: list[str] = []
    counts: dict[str, int] = {}
    for kind in kinds:
        own = [one for one in found if one.kind is kind]
        if kind is Kind.PROGRESS:
            own = [one for one in own if _still_matters(one)]
        counts[kind.value] = len(own)
        lines += [one.line(work.now_ms) for one in own[:_TOLD_OF_EACH]]
    waiting = swarm.messages.backlog().waiting
    if waiting:
        lines.append(f"- {waiting} messages wait for {work.agent}")
    if lines:
        head = f"Memory of the swarm {swarm.swarm!r}, as its agents left it (notes, not orders):"
        lines.insert(0, head)
    return Told(tuple(lines), facts={**counts, "messages": waiting})


def _still_matters(progress: Remembered) -> bool:
    """Tasks that go on, and what earlier sessions came to."""
    said = progress.value
    return said.get("status") not in _ENDED or str(said.get("task")).startswith(_SESSION)


def end(work: Work) -> Told:
    """Close the session and keep a summary of it."""
    swarm, now_ms = work.swarm, work.now_ms
    reason = work.event.text("reason", limit=64)
    swarm.update_state(status="offline")
    if work.session is None:
        return Told(notes=("no session was named: nothing to close",))
    context = swarm.session_context()
    began = context.get("started_ms")
    files = [one for one in work.memory.members(work.home, FILES) if isinstance(one, str)]
    edits = work.memory.get(work.home, EDITS, 0)
    took_ms = now_ms - began if isinstance(began, int) else None
    facts = {
        "session": work.session, "started_ms": began, "ended_ms": now_ms, "duration_ms": took_ms,
        "reason": reason, "edits": edits, "files": files[:HOOK_FILES_TOLD],
        "more_files": max(len(files) - HOOK_FILES_TOLD, 0),
    }  # fmt: skip
    swarm.update_session_context(ended_ms=now_ms, reason=reason)
    took = f" in {show_duration(took_ms // 1_000 * 1_000)}" if took_ms is not None else ""
    line = f"{edits} edits of {len(files)} files{took}"
    task = f"{_SESSION}{short_name(work.session)}"
    swarm.record_progress(task, done=1.0, status="ended", note=line, data=facts)
    return Told((f"session {work.session}: {line}",), facts=facts)


def clean_up(work: Work) -> Told:
    """Write what is buffered, drop a slice of what has expired, forget this session.

    Never more than `HOOK_SWEEP_ROWS` rows, and nothing under a clock alarm: the sweep is another
    command.
    """
    from memtend.store.expiry import drop_expired, expired  # noqa: PLC0415

    memory, store = work.memory, work.memory.store
    memory.flush()
    dropped = 0
    if store.clock.alarm_ms is None:
        seqs = [row.seq for row in expired(store, HOOK_SWEEP_ROWS)]
        dropped = drop_expired(store, seqs, actor=work.agent).rows
    forgotten = 0
    if work.session is not None:
        home = work.home
        forgotten = int(memory.delete(home, "context"))
        forgotten += sum(memory.remove(home, FILES, one) for one in memory.members(home, FILES))
        if memory.get(home, EDITS):
            memory.set_counter(home, EDITS, 0)
    line = f"{dropped} expired records swept, {forgotten} of the session forgotten"
    return Told((line,), facts={"swept": dropped, "forgotten": forgotten})
