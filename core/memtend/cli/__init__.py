"""The command line: `memtend`. A command parses, calls, prints; everything else is the library.

JSON goes to stdout, talk to stderr, and the exit status is the code of the error. What a command
needs is imported when it runs, so that `memtend get` loads no ORM and `--help` no store.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """The entry point of the installed command."""
    match sys.argv[1:]:
        # An agent waits for its hooks: they are run without loading the rest of the tree.
        case ["hook", *arguments] if not {"--help", "-h"}.intersection(arguments):
            from memtend.cli.hook_run import run_named  # noqa: PLC0415

            gc.disable()  # a twentieth of its time; it ends before there is much to collect
            sys.exit(run_named(arguments))
        case _:
            from memtend.cli.app import run  # noqa: PLC0415

            run()
