"""Importing AML trees: CPU time beside parsing and inserting by hand, and memory at all sizes.

The tree is what the older program leaves: compact JSON, items of about a kilobyte, patterns,
solutions and decisions in turn, in files of at most a mebibyte. "By hand" reads the same files with
orjson, and inserts key and value with one `executemany` a file: no check of names or values, no
digest, no lineage, no labels, no plan. CPU time, because an import waits for nothing else.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson

from memtend.services import open_services
from memtend.settings import Settings
from tests.benchmarks.alone import ROOT
from tests.benchmarks.harness import Row, expect, undisturbed

MB = 1_000_000
TREE_MB = 50
SIZES_MB = (5, 50, 500)
FILE_ITEMS = 1_000
ROUNDS = 5
RATE_MB_S = 20.0
ITEM_BYTES = 16
"""What an item may add to the memory of an import."""
BY_HAND = "parsing and inserting by hand"
KINDS = ("patterns", "solutions", "decisions")


class Tree(NamedTuple):
    root: Path
    items: int
    size: int


def rows(folder: Path) -> Iterator[Row]:
    yield from _rates(make_tree(folder / "tree", TREE_MB), folder)
    shutil.rmtree(folder / "tree")
    before: tuple[float, int] | None = None
    for size in SIZES_MB:
        tree = make_tree(folder / f"tree-{size}", size)
        peak = _peak_mib(tree, folder)
        shutil.rmtree(tree.root)
        base, items = before or (peak, tree.items)
        # Caches fill up to their bounds first; beyond that only the pins may grow.
        grown = 1.05 * base + ITEM_BYTES * (tree.items - items) / 2**20
        yield Row(
            f"import of {size} MB, memory beyond that of a few items", tree.items, "MiB", peak,
            "a tenth of the tree" if before else "itself", base, peak / base, peak / base,
            peak / base, grown if size == SIZES_MB[-1] else None, "lower", "ours",
        )  # fmt: skip
        before = peak, tree.items


def make_tree(root: Path, size_mb: float) -> Tree:
    """Items are the same at every size; a larger tree has more of them, in more files."""
    dice, size, items = random.Random("tree"), 0, 0
    lists: dict[tuple[str, str], list[bytes]] = {}
    while size < size_mb * MB:
        kind, agent = KINDS[items % len(KINDS)], f"agent-{items // (FILE_ITEMS * len(KINDS)):04d}"
        text = orjson.dumps(_item(kind, agent, items, dice))
        lists.setdefault((agent, kind), []).append(text)
        size, items = size + len(text), items + 1
        if len(lists[agent, kind]) == FILE_ITEMS:
            _write(root, agent, kind, lists.pop((agent, kind)))
    for (agent, kind), texts in lists.items():
        _write(root, agent, kind, texts)
    return Tree(root, items, size)


def _write(root: Path, agent: str, kind: str, texts: list[bytes]) -> None:
    home = root / "memory" / agent
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{kind}.json").write_bytes(b"[" + b",".join(texts) + b"]")


def _item(kind: str, agent: str, number: int, dice: random.Random) -> dict[str, Any]:
    text = " ".join(f"w{dice.randrange(4_000)}" for _ in range(90))
    at = f"2025-{1 + number % 9:02d}-{1 + number % 28:02d}T{number % 24:02d}:00:00Z"
    head = {"id": f"{kind[:3]}-{number:07d}", "agent": agent, "timestamp": at,
            "tags": ["net", f"t{number % 50}"]}  # fmt: skip
    if kind == "patterns":
        return head | {
            "pattern": {
                "type": "error-handling", "context": {"framework": "node", "size": number},
                "approach": {"technique": "retry", "rationale": text, "steps": ["a", "b"]},
                "conditions": {"whenApplicable": ["net"], "whenNotApplicable": []},
            },
            "metrics": {"successRate": 0.9, "executionCount": number % 40, "avgTimeSavedMs": 120,
                        "errorPreventionCount": 3},
            "evolution": {"created": at, "lastUsed": at, "refinements": 1, "confidenceScore": 0.8},
            "active": True,
        }  # fmt: skip
    if kind == "solutions":
        return head | {
            "problem": {"errorType": "TypeError", "errorMessage": text, "context": {"n": number}},
            "solution": {"rootCause": "none", "fixApproach": "guard", "prevention": "lint"},
            "effectiveness": {"worked": True, "timeToFixMinutes": 5, "preventedRecurrence": None,
                              "relatedErrorsFixed": 2},
        }  # fmt: skip
    return head | {
        "decision": {
            "type": "arch", "question": "which?", "context": {"team": number % 9},
            "chosenOption": "B", "alternativesConsidered": ["A", "C"], "rationale": text,
            "decisionFactors": {"primary": ["cost"], "secondary": ["time"]},
        },
        "outcome": {"successMetrics": {"maintainability": 0.5}, "lessonsLearned": ["x"],
                    "wouldRepeat": True},
    }  # fmt: skip


def _rates(tree: Tree, folder: Path) -> Iterator[Row]:
    """Ours and by hand in every round, in turn; each into a new file."""
    plans: list[float] = []
    applies: list[float] = []
    hands: list[float] = []
    for turn in range(ROUNDS + 1):
        if turn % 2:
            hands.append(_by_hand(tree, folder / "hand"))
        planned, applied = _ours(tree, folder / "ours")
        plans.append(planned)
        applies.append(applied)
        if not turn % 2:
            hands.append(_by_hand(tree, folder / "hand"))
    for figures in (plans, applies, hands):
        del figures[0]  # the first round warms up
    sums = [plan + apply for plan, apply in zip(plans, applies, strict=True)]
    size = tree.size / MB
    for name, took, target in (
        ("import of 50 MB, plan", plans, RATE_MB_S),
        ("import of 50 MB, apply", applies, RATE_MB_S),
        ("import of 50 MB, plan and apply", sums, None),
    ):
        ratios = [hand / mine for mine, hand in zip(took, hands, strict=True)]
        yield Row(
            name, tree.items, "MB/s", size / median(took), BY_HAND, size / median(hands),
            median(ratios), min(ratios), max(ratios), target, "higher", "ours", len(took),
        )  # fmt: skip


def _ours(tree: Tree, folder: Path) -> tuple[float, float]:
    folder.mkdir()
    settings = Settings(plans_url=str(folder / "plans"), durability="normal")
    with open_services(f"sqlite:///{folder}/store.db", settings=settings) as services:
        with undisturbed():
            began = time.process_time()
            plan = services.plan_import(str(tree.root))
            planned = time.process_time()
            report = services.apply_import(plan)
            done = time.process_time()
        expect((plan.writes, report.written), (tree.items, tree.items), "imported items")
        expect(services.memory.stats().records, tree.items, "records")
    shutil.rmtree(folder)
    return planned - began, done - planned


def _by_hand(tree: Tree, folder: Path) -> float:
    folder.mkdir()
    connection = sqlite3.connect(folder / "store.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE record (ns TEXT NOT NULL, key TEXT NOT NULL, value BLOB)")
    connection.execute("CREATE UNIQUE INDEX record_key ON record (ns, key)")
    with undisturbed():
        began = time.process_time()
        for file in sorted(tree.root.rglob("*.json")):
            items = orjson.loads(file.read_bytes())
            ns = f"agent/{file.parent.name}/{file.stem}"
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO record VALUES (?,?,?)",
                [(ns, item["id"], orjson.dumps(item)) for item in items],
            )
            connection.execute("COMMIT")
        took = time.process_time() - began
    [(count,)] = connection.execute("SELECT count(*) FROM record")
    expect(count, tree.items, "rows by hand")
    connection.close()
    shutil.rmtree(folder)
    return took


def _peak_mib(tree: Tree, folder: Path) -> float:
    """In a process of its own, by how much its peak grows over that of a tree of a few items."""
    store = folder / "alone"
    store.mkdir()
    small = make_tree(folder / "small", 0.01)
    command = (sys.executable, "-m", "tests.benchmarks.imports", str(small.root), str(tree.root),
               str(store))  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    shutil.rmtree(small.root)
    shutil.rmtree(store)
    before, after, written = json.loads(done.stdout.splitlines()[-1])
    expect(written, tree.items, "imported items")
    return float(after - before) / 1_024


def main(small: str, large: str, folder: str) -> None:
    peaks: list[int] = []
    written = 0
    for source in (small, large):
        settings = Settings(plans_url=f"{folder}/plans", durability="normal")
        url = f"sqlite:///{folder}/{len(peaks)}.db"
        with open_services(url, settings=settings) as services:
            written = services.apply_import(services.plan_import(source)).written
        peaks.append(_peak_kib())
    print(json.dumps([*peaks, written]))


def _peak_kib() -> int:
    """Of this program alone: `getrusage` also knows what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    main(*sys.argv[1:4])
