"""How a program of the flows ends: with the status of an error, told as every command tells it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final

from pydantic import ValidationError

from memtend.cli.failing import failure_of, tell, wants_json
from memtend.errors import MemtendError

INTERRUPTED: Final = 130  # what a shell says of a program that Ctrl-C has ended


def run_program(body: Callable[[], int | None], arguments: Sequence[str] | None = None) -> int:
    """The exit status: of `body`, or of an error its code. `arguments` None: of this process."""
    try:
        return body() or 0
    except (EOFError, KeyboardInterrupt):  # Ctrl-D, where a program asks
        return INTERRUPTED
    except (MemtendError, OSError, ValidationError) as error:
        given = sys.argv[1:] if arguments is None else arguments
        return tell(failure_of(error), as_json=wants_json(given))
