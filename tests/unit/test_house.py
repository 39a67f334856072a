"""The rules of the house that no linter knows: short files, and one door to the outside world."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.services import Services

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path for top in ("core", "tasks", "flows") for path in sorted((ROOT / top).rglob("*.py"))
]
TESTS = [
    path
    for path in sorted((ROOT / "tests").rglob("*.py"))
    if "golden" not in path.relative_to(ROOT).parts
]
CORE = ROOT / "core" / "memtend"
FILE_LINES_MAX = 300
DOORS = ("clock.py", "settings.py", "cli/")
OUTSIDE = re.compile(
    r"time\.(time|monotonic|perf_counter|process_time|thread_time|localtime|gmtime)(_ns)?"
    r"|datetime\.(datetime|date)\.(now|utcnow|today)"
    r"|os\.(environ|environb|getenv|urandom|getrandom)"
    r"|(random|secrets)(\.\w+)*"
    r"|uuid\.uuid[146]"
)


def inside_core() -> list[Path]:
    files = sorted(CORE.rglob("*.py"))
    return [f for f in files if not str(f.relative_to(CORE)).startswith(DOORS)]


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported_names(tree: ast.AST) -> dict[str, str]:
    """What each name that an import binds really is: `now` -> `datetime.datetime.now`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else None
    return None


def looks_outside(source: str) -> Iterator[str]:
    """Every mention of the clock, the dice or the environment, called or handed on."""
    tree = ast.parse(source)
    names = imported_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node, names)
            if name and OUTSIDE.fullmatch(name):
                yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=identify)
def test_a_file_is_one_idea(path: Path) -> None:
    """No file is longer than 300 lines, no test either: it is split before."""
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", inside_core(), ids=identify)
def test_nobody_reads_the_clock_the_dice_or_the_environment(path: Path) -> None:
    """Only clock.py, settings.py and the CLI do; everyone else is handed what they need."""
    assert list(looks_outside(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\nnow = time.time_ns()",
        "import time as t\nread = t.monotonic",
        "from time import time\ntime()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime as dt\ndt.datetime.utcnow()",
        "import os\nos.environ['HOME']",
        "from os import getenv\ngetenv('HOME')",
        "import random\nrandom.choice([1])",
        "from secrets import token_hex\ntoken_hex()",
        "from uuid import uuid4\nuuid4()",
    ],
)
def test_every_way_to_look_outside_is_seen(source: str) -> None:
    """The check above would notice: aliases, `from` imports and uncalled names."""
    assert len(list(looks_outside(source))) >= 1


def test_pins_are_names_and_versions() -> None:
    """The constraints name no place to download from, and not the project itself."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    odd = [line for line in pins if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.+!]+", line)]
    assert odd == []
    assert not any(line.startswith("memtend==") for line in pins)
    assert "://" not in "\n".join(lines)


def test_no_part_of_the_services_hides_what_another_has() -> None:
    seen: dict[str, str] = {}
    for part in Services.__mro__[:-1]:
        for name in vars(part):
            if not name.startswith("__"):
                assert seen.setdefault(name, part.__name__) == part.__name__, name


def test_a_failed_assertion_in_a_fixture_says_what_it_saw() -> None:
    """Fixtures import one another, so all are rewritten before the first of them is loaded."""
    loaded = {
        name: type(module.__loader__).__name__
        for name, module in sys.modules.items()
        if name.startswith("tests.fixtures.")
    }
    assert set(loaded.values()) == {"AssertionRewritingHook"}, loaded
