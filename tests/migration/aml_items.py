"""AML items of every version, and hostile ones: their own names with anything under them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from memtend.upcast.family import AML

KINDS = ("pattern", "solution", "decision")
FILES = {f"{kind}s": kind for kind in KINDS}
LEGACY = Path(__file__).parents[1] / "golden/legacy"

TEXTS = st.text(max_size=6)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS, st.just(-0.0)
)
TIMES = st.one_of(
    st.datetimes().map(lambda at: f"{at.isoformat(timespec='milliseconds')}Z"),
    st.datetimes().map(lambda at: f"{at.isoformat(timespec='microseconds')}+00:00"),
    st.sampled_from(
        [
            "2026-09-05T07:10:59.953Z",
            "2026-09-05T07:10:59.953000+00:00",
            "2026-09-05T07:10:59.953000Z",
            "2026-09-05T07:10:59.95312Z",
            "2026-09-05T07:10:59+02:00",
            "2026-09-05 07:10",
            "2026-09-05",
            "2026-02-30T07:10:59.953Z",
            "2026-02-30T07:10:59.953000+00:00",
            "1757056259",
            "tomorrow",
            "",
        ]
    ),
    st.sampled_from([1757056259, 1757056259.5, 1757056259953, 1757056259953123456, -1, 10**400]),
)
SMALL = st.sampled_from([[], {}, True, None, "migration", "7", 7, ["a"], {"mine": 1}])
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "created_by": st.sampled_from(["migration", "me", 1]),
        "last_modified": TIMES,
        "version": st.sampled_from(["1.0.0", "1.1.0", "1.2.0", "2.0.0", "2.1.0", "7", 1]),
        "extra": SMALL,
        "mine": SCALARS,
    },
)
NAMES = (
    "successRate", "success_rate", "executionCount", "execution_count", "created", "created_at",
    "lastUsed", "last_used_at", "refinements", "confidence", "mine", "metrics", "version",
)  # fmt: skip
PART = st.dictionaries(st.sampled_from(NAMES), SCALARS | TIMES, max_size=4)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
ANY = SMALL | JSON
EXTRA = st.dictionaries(
    st.sampled_from(["mine", "extra", "metrics", "performance", "version", "tags"]), ANY
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "agent": SCALARS,
    "timestamp": TIMES | ANY,
    "tags": ANY,
    "active": ANY,
    "metadata": METADATA | METADATA | ANY,
    "variations": ANY,
    "version": st.sampled_from([*AML.versions, *AML.versions, 7, None]),
    "metrics": PART | ANY,
    "performance": PART | ANY,
    "evolution": PART | ANY,
    "lifecycle": PART | ANY,
    "extra": EXTRA | ANY,
    "outcome": PART | ANY,
    "mine": ANY,
}
STAMP = "2026-09-05T07:10:59.953Z"
TYPICAL = {"timestamp": STAMP, "evolution": {"created": STAMP}, "metrics": {"successRate": 0.5}}


@st.composite
def items(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """An item of any version with some fields that never were so, or nothing but such fields."""
    base: dict[str, Any] = {"id": "x", kind: {"type": "t"}}
    if draw(st.booleans()):
        base = dict(AML.up(kind, base | TYPICAL, draw(st.sampled_from(AML.versions))).value)
    changed = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, max_size=6))
    item = base | {name: draw(FIELDS[name]) for name in changed}
    dropped = draw(st.sets(st.sampled_from(sorted(FIELDS)), max_size=2)).difference(changed)
    kept = [(name, value) for name, value in sorted(item.items()) if name not in dropped]
    return dict(draw(st.permutations(kept)))


HOSTILE = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), items(kind)))


def sample(version: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Kind and item of everything that the original program wrote in a version, by id."""
    memory = LEGACY / f"aml-{version}/memory"
    return {
        item["id"]: (FILES[path.stem], item)
        for path in sorted(memory.glob("agent-*/*.json"))
        for item in json.loads(path.read_bytes())
    }


def text(value: Any) -> str:
    """JSON that tells 1, 1.0, true and -0.0 apart and minds no order."""
    return json.dumps(value, sort_keys=True)
