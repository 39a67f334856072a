"""The command line: `memtend`. A command parses, calls, prints; everything else is the library.

JSON goes to stdout, talk to stderr, and the exit status is the code of the error. What a command
needs is imported when it runs, so that `memtend get` loads no ORM and `--help` no store.
"""

from __future__ import annotations


def main() -> None:
    """The entry point of the installed command."""
    from memtend.cli.app import run  # noqa: PLC0415

    run()
