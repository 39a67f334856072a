"""Why a target is missed, as far as it is understood. Read by the page; edit when it changes."""

from __future__ import annotations

UNKNOWN = "Not explained yet."
BY_NAME = {
    "put, durable": "",
}


def reason(name: str, against: str) -> str:
    """The reason of the longest entry that `name` begins with."""
    entries = [key for key in BY_NAME if f"{name} | {against}".startswith(key)]
    return BY_NAME[max(entries, key=len)] if entries else UNKNOWN
