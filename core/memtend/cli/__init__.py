"""The command line: `memtend`. A command parses, calls, prints; everything else is the library.

JSON goes to stdout, talk to stderr, and the exit status is the code of the error. What a command
needs is imported when it runs, so that `memtend get` loads no ORM and `--help` no store.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Final

_NAMES: Final = {
    "access": "grant revoke grants quarantine",
    "alerts": "alerts",
    "archive": "archive",
    "audit": "audit",
    "backup": "backup",
    "claude_flow": "claude-flow",
    "conflicts": "conflicts",
    "copy": "copy",
    "erase": "erase",
    "export": "export",
    "flows": "serve demo deploy blocks",
    "health": "health",
    "importing": "import",
    "learn": "learn",
    "leases": "lease",
    "messages": "messages",
    "metrics": "metrics",
    "migrate": "migrate",
    "optimize": "optimize",
    "peers": "peers",
    "policies": "policies",
    "prune": "prune undo",
    "records": "put get delete list search increment",
    "report": "report",
    "restore": "restore",
    "state": "init stats explain clock ballast",
    "swarm": "swarm",
    "sync": "sync",
    "top": "top",
    "upkeep": "sweep verify",
}
PART_OF: Final = {name: part for part, names in _NAMES.items() for name in names.split()}
"""The module that has a command, so that a call of it loads no other commands: they are half of
what a short one costs. What is not named here is found in the whole tree."""


def main() -> None:
    """The entry point of the installed command."""
    match sys.argv[1:]:
        # An agent waits for its hooks: they are run without loading the rest of the tree.
        case ["hook", *arguments] if not {"--help", "-h"}.intersection(arguments):
            from memtend.cli.hook_run import run_named  # noqa: PLC0415

            gc.disable()  # a twentieth of its time; it ends before there is much to collect
            sys.exit(run_named(arguments))
        case [name, *_] if name in PART_OF:
            from memtend.cli.root import start, tree  # noqa: PLC0415

            start(tree([import_module(f"memtend.cli.{PART_OF[name]}")]))
        case _:
            from memtend.cli.app import run  # noqa: PLC0415

            run()
