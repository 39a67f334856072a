"""Statements of hooks: the newest records of some namespaces."""

from __future__ import annotations

from typing import Final

# `+ 0` keeps the namespaces' index out of it: the walk goes back along the change sequence. 4 is
# Codec.ARCHIVED: an agent that waits does not wait for an archive.
STATEMENTS: Final[dict[str, str]] = {
    "recent_in": "SELECT seq, ns, key FROM sibling "
    "WHERE seq > ? AND (ns + 0) {in_ints} AND field = '' AND (flags & 15) <> 4 "
    "ORDER BY seq DESC LIMIT ?",
}
