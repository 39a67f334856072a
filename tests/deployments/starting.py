"""Whether what a file wants to start exists, with the options that it is given.

Told by the programs themselves: memtend's own list of commands, and the help of Prefect's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from memtend.cli import docs

BIN = Path(sys.executable).parent
_WORD = re.compile(r"[a-z][a-z-]*")


def unknown(command: list[str]) -> list[str]:
    """What of a command line no program knows: the command, or options of it."""
    program, *words = command
    if program not in ("memtend", "prefect"):
        return [program]
    path = _path(program, words)
    options = _options(program, tuple(path))
    if options is None:
        return [" ".join([program, *path])]
    given = [word.partition("=")[0] for word in words if word.startswith("--")]
    return [option for option in given if option not in options]


def _path(program: str, words: list[str]) -> list[str]:
    """The words before the first option."""
    path: list[str] = []
    for word in words:
        if not _WORD.fullmatch(word):
            break
        path.append(word)
    return path


@lru_cache
def _options(program: str, path: tuple[str, ...]) -> frozenset[str] | None:
    if program == "memtend":
        known = dict(docs.commands())
        command = known.get(" ".join([program, *path]))
        return command and frozenset(one for param in command.params for one in param.opts)
    helped = subprocess.run(
        [BIN / program, *path, "--help"],
        capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    found = frozenset(re.findall(r"--[a-z][a-z-]*", helped.stdout))
    return found if helped.returncode == 0 else None
