"""What the labels of a record say about the migrations that wrote it. Pure.

A row that was moved says it in `labels.extra["migrated"]`: the family, the version that it came
`from`, the `run`, the number of the value that the run found (`was`) and of the one that it wrote
(`content`), what leads back exactly (`undo`), and what the run before had said (`before`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

MIGRATED: Final = "migrated"
CONTENT: Final = "content"
WAS: Final = "was"
BEFORE: Final = "before"
RUN: Final = "run"


def chain(said: Any) -> Iterator[dict[str, Any]]:
    """What the last run said, and what those before it did."""
    while isinstance(said, dict):
        yield said
        said = said.get(BEFORE)


def origin(extra: Mapping[str, Any], content: int) -> Any:
    """The number of the value that `content` was made from by migrations alone, one after another.

    It is `content` itself where none made it, or somebody wrote since.
    """
    found: Any = content
    for said in chain(extra.get(MIGRATED)):
        if said.get(CONTENT) != found:
            break
        found = said.get(WAS)
    return found


def without_runs(said: dict[str, Any]) -> dict[str, Any]:
    """What runs, one after the other, said of a value; each replica has ids of its own for them."""
    return {
        name: without_runs(part) if name == BEFORE and isinstance(part, dict) else part
        for name, part in said.items()
        if name != RUN
    }
