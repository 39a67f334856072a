"""`benchmarks.json`: rows of many modules, where a run replaces what it has measured again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.harness import Row

SIGNIFICANT = 5


class Measured(NamedTuple):
    """A row with the module that measured it and the day."""

    module: str
    day: str
    row: Row

    def as_json(self) -> dict[str, Any]:
        fields = {name: _short(value) for name, value in self.row._asdict().items()}
        return {"module": self.module, "day": self.day, **fields}


class Results(NamedTuple):
    machine: Mapping[str, str | int]
    rows: tuple[Measured, ...] = ()

    def replacing(self, module: str, day: str, rows: Iterable[Row]) -> Results:
        """With new rows of a module: its old ones of the same sizes go, all others stay."""
        fresh = tuple(Measured(module, day, row) for row in rows)
        sizes = {one.row.size for one in fresh}
        kept = tuple(one for one in self.rows if one.module != module or one.row.size not in sizes)
        return self._replace(rows=kept + fresh)


def load(path: Path) -> Results:
    """What earlier runs left; nothing where there was none."""
    if not path.exists():
        return Results({})
    found = json.loads(path.read_text())
    rows = []
    for line in found["rows"]:
        fields = {name: line[name] for name in Row._fields if name in line}
        rows.append(Measured(line["module"], line["day"], Row(**fields)))
    return Results(found["machine"], tuple(rows))


def save(results: Results, path: Path) -> None:
    text = json.dumps(
        {"machine": results.machine, "rows": [one.as_json() for one in results.rows]},
        indent=1,
        ensure_ascii=False,
    )
    path.write_text(text + "\n")


def _short(value: object) -> object:
    return float(f"{value:.{SIGNIFICANT}g}") if isinstance(value, float) else value
