"""What the older swarm program kept for a moment only: locks and polled messages.

They are told in the report and not imported. A value of another form under the same key is memory
like any other.
"""

from __future__ import annotations

import re
from typing import Any, Final

from memtend.limits import PEERS_NAMED_MAX
from memtend.upcast.labelling import part

_KEY = re.compile(r"swarm-[^/]+/coordination/(locks|messages)")
_SHOWN_CHARS: Final = 64


def held_for_a_moment(key: str, value: Any) -> str | None:
    """What a lock list or a message queue holds, in words; None for everything else."""
    found = _KEY.fullmatch(key)
    what = found[1] if found else ""
    held = part(value, what)
    if not isinstance(held, list) or len(value) > 1:
        return None
    show = _lock if what == "locks" else _message
    shown = [show(one) for one in held[:PEERS_NAMED_MAX]]
    more = len(held) - len(shown)
    listed = "; ".join([*shown, *([f"and {more:,} more"] if more else [])])
    kind = "lock list" if what == "locks" else "queue of polled messages"
    return f"{key}: a {kind} is not taken over; it holds {len(held):,}" + (
        f": {listed}" if listed else ""
    )


def _lock(one: Any) -> str:
    return (
        f"{_text(one, 'memory_key')} by {_text(one, 'agent_name')}, "
        f"{_text(one, 'lock_type')}, until {_text(one, 'expires_at')}"
    )


def _message(one: Any) -> str:
    to = part(one, "recipient_agent")
    return (
        f"{_text(one, 'message_type')} from {_text(one, 'sender_agent')} "
        f"to {'everybody' if to is None else _text(one, 'recipient_agent')}"
    )


def _text(one: Any, name: str) -> str:
    value = part(one, name)
    return value[:_SHOWN_CHARS] if isinstance(value, str) else "?"
