"""Program: the report of `record` as a table for docs/design/failure-model.md.

usage: told REPORT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from tests.crash.flows.lane import VICTIMS

HEAD = (
    "what was killed", "kills", "before the work", "amid it", "after it", "began twice",
    "the next run did it", "until done: median, longest", "not exactly once",
)  # fmt: skip


def rows(kills: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    yield HEAD
    yield tuple("---" for _ in HEAD)
    for victim in (*VICTIMS, "all"):
        of = [kill for kill in kills if victim in (kill["victim"], "all")]
        if of:
            yield (victim, *_cells(of))


def _cells(kills: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield str(len(kills))
    yield str(sum(kill["done"] == 0 for kill in kills))
    yield str(sum(0 < kill["done"] < kill["rows"] for kill in kills))
    yield str(sum(kill["done"] == kill["rows"] for kill in kills))
    yield str(sum(kill["begun"] > len(kill["ends"]) for kill in kills))
    yield str(sum(len(kill["ends"]) > 1 for kill in kills))
    took = [kill["whole_s"] for kill in kills]
    yield f"{median(took):.0f} s, {max(took):.0f} s"
    yield str(sum(bool(kill["wrong"]) for kill in kills))


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text().splitlines()
    for row in rows([json.loads(line) for line in lines]):
        print("| " + " | ".join(row) + " |")
