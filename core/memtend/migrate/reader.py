"""What every importer offers, so that one door leads to all of them.

An importer is a module: `KIND` names it on the command line, `looks_like` recognises its files,
`read` hands over everything in them. Nothing is written to a source, not even a journal beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple, Protocol

from memtend.migrate.items import Found
from memtend.model.policyset import PolicySet


class Options(NamedTuple):
    """What the user says about a source.

    `zone` is where naive times were written. `policies` are those of the store that will take the
    items; they say what is a counter. Archives of pickled items are read only with `allow_pickle`.
    """

    zone: tzinfo = UTC
    policies: PolicySet | None = None
    allow_pickle: bool = False


class Reader(Protocol):
    """A module of `memtend.migrate` that reads one kind of older memory."""

    @property
    def KIND(self) -> str: ...  # noqa: N802 — a constant of a module

    def looks_like(self, root: Path) -> bool:
        """Whether `root`, a folder or a file, holds this kind. Reads names, not contents."""

    def read(self, root: Path, options: Options) -> Iterator[Found]:
        """Every file and item as exactly one `Found`; raises `SourceUnknown` for another kind."""
