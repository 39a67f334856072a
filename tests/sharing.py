"""How the workers of xdist share the tests: what takes long begins first.

By itself xdist starts with the files that have the most tests, so that the few long ones come last
and one worker waits for the other. And each worker that runs a file of flows starts a Prefect
server of its own: those files are one piece of work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/flows/", "tests/ui/")
"""Folders whose files share what is slow to start."""

LONG = (
    "tests/flows/",
    "tests/ui/",
    "tests/laws/test_sql_",
    "tests/crash/",
    "tests/laws/",
    "tests/integration/test_archive_crash",
    "tests/integration/test_backup_",
)
"""Begins of paths, those first that would be waited for at the end."""


def piece(nodeid: str) -> str:
    """What one worker runs from beginning to end: a file, or one of the folders above."""
    file = nodeid.partition("::")[0]
    return next((place for place in TOGETHER if file.startswith(place)), file)


def order_of(nodeids: Sequence[str]) -> Callable[[str], tuple[int, int, str]]:
    """A key to sort by, the same for all of a piece: the long, then those of many tests."""
    sizes = Counter(map(piece, nodeids))

    def key(nodeid: str) -> tuple[int, int, str]:
        name = piece(nodeid)
        rank = next((n for n, start in enumerate(LONG) if name.startswith(start)), len(LONG))
        return rank, -sizes[name], name

    return key


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Hands out pieces in the order of the collection, which the workers have sorted."""

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)
