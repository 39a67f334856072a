"""Telling others: what an agent tool announces becomes a message."""

from __future__ import annotations

from memtend.hooks.redaction import redact
from memtend.hooks.work import Told, Work
from memtend.limits import HOOK_TEXT_CHARS_MAX


def notify(work: Work) -> Told:
    """Send a message to one agent, or to all of the swarm that listen."""
    said = work.asked.message or work.event.text("message", "prompt")
    if not said:
        return Told(notes=("no message was given: --message, or message in the event",))
    kind = work.event.text("notification_type", limit=64)
    body = {
        "text": redact(said[:HOOK_TEXT_CHARS_MAX]), "agent": work.agent, "session": work.session,
        "at_ms": work.now_ms, **({"type": kind} if kind else {}),
    }  # fmt: skip
    if work.asked.to:
        number = work.swarm.send(work.asked.to, body, topic="notify")
    else:
        number = work.swarm.broadcast(body, topic="notify")
    return Told(facts={"message": number, "to": work.asked.to or work.swarm.swarm})
