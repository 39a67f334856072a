"""Notes of backups: what somebody said of one, and behind it a mark of the run that took it.

A run that was cut off finds what it took by the mark. It stays in the manifest and in JSON; people
read the note without it.
"""

from __future__ import annotations

import re

_MARK = re.compile(r" ?\[run ([0-9a-f-]{36})\]\Z")


def mark_of(run: str) -> str:
    """How the note of what this run takes ends."""
    return f"[run {run}]"


def parted(note: str) -> tuple[str, str]:
    """What was said, and the id of the run; empty where there is none.

    >>> parted("before the move [run 0f3e5c1a-7f0b-4d52-9a41-3c1d2e5f6a7b]")
    ('before the move', '0f3e5c1a-7f0b-4d52-9a41-3c1d2e5f6a7b')
    >>> parted("by hand [run 7]")
    ('by hand [run 7]', '')
    """
    found = _MARK.search(note)
    return (note[: found.start()], found[1]) if found else (note, "")
