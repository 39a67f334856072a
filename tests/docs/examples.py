"""Runs the examples of README.md, docs/ and the docstrings of core as tests.

- A `python` block runs as written; blocks of one page share their names, top to bottom. A block
  of `>>>` lines is a doctest.
- A `console` block whose first line is `$ memtend …` runs, line by line, in bash; what follows a
  command is what it must print. `…` stands for anything, and white space is compared loosely. A
  command may fail only when the next line is `$ echo $?`.
- Every page gets a scratch folder of its own, so an example may write wherever it likes.

Other console blocks (`$ make test`) are for reading. Blocks of a page build on each other: under
xdist they need `--dist loadfile`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import Any, NamedTuple

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).resolve().parents[2]
LOOSELY = ELLIPSIS | NORMALIZE_WHITESPACE
COMMAND_SECONDS_MAX = 120
BACK = "_folder_before"


class Command(NamedTuple):
    text: str
    expected: str


def commands(block: str) -> Iterator[Command]:
    """Split a console block; lines that begin with `> ` continue the command above them."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        more = next((n for n, line in enumerate(lines[1:], 1) if line[:2] != "> "), len(lines))
        text = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
        yield Command(text, "\n".join(lines[more:]))


def environment() -> dict[str, str]:
    """A plain terminal with our own `memtend` first on PATH and none of the user's settings."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("MEMTEND_", "COV_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), plain.get("PATH", "")])
    return plain | {"PATH": path, "HOME": os.getcwd(), "NO_COLOR": "1", "COLUMNS": "100"}


def run_console(example: Example) -> None:
    """Run the commands of one block and compare what they print."""
    block = str(example.parsed)
    if not block.startswith("$ memtend"):
        return
    status = 0
    script = list(commands(block))
    for number, (text, expected) in enumerate(script):
        done = subprocess.run(
            ["bash", "-c", f"(exit {status})\n{text}"], env=environment(), check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_SECONDS_MAX,
        )  # fmt: skip
        status = done.returncode
        wanted = expected.replace("…", "...")
        if not OutputChecker().check_output(wanted.strip(), done.stdout.strip(), LOOSELY):
            raise AssertionError(f"$ {text}\nexpected:\n{expected}\ngot:\n{done.stdout}")
        told = number + 1 < len(script) and script[number + 1].text.startswith("echo $?")
        if status and not told:
            raise AssertionError(f"$ {text}\nfailed with status {status}:\n{done.stdout}")


def enter_scratch(namespace: dict[str, Any]) -> None:
    namespace[BACK] = Path.cwd()
    os.chdir(tempfile.mkdtemp(prefix="memtend-docs-"))


def leave_scratch(namespace: dict[str, Any]) -> None:
    scratch = Path.cwd()
    os.chdir(namespace[BACK])
    shutil.rmtree(scratch)


pages = Sybil(
    path=str(ROOT),
    parsers=[PythonCodeBlockParser(), CodeBlockParser("console", run_console), SkipParser()],
    patterns=["README.md", "docs/**/*.md", "docs/*.md", "deployments/*.md"],
    setup=enter_scratch,
    teardown=leave_scratch,
    name="page",
)
docstrings = Sybil(
    path=str(ROOT),
    parsers=[DocTestParser(LOOSELY)],
    patterns=["core/memtend/**/*.py", "core/memtend/*.py"],
    setup=enter_scratch,
    teardown=leave_scratch,
    name="docstring",
)
pytest_collect_file = (pages + docstrings).pytest()
