"""What kind of memory lies somewhere, and the one door to read it.

A kind is recognised by its own files, never by the name of the folder. Several kinds in one place
are named in the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from memtend.errors import SourceUnknown
from memtend.migrate import (
    aml_backups,
    claude_flow,
    jsonl,
    legacy_aml,
    legacy_lifecycle,
    pickled,
    swarm,
)
from memtend.migrate.items import Found
from memtend.migrate.reader import Options, Reader
from memtend.model.policyset import PolicySet
from memtend.model.timestamps import zone_named

_READERS: Final[tuple[Reader, ...]] = (
    legacy_lifecycle,
    legacy_aml,
    aml_backups,
    swarm,
    claude_flow,
    pickled,
    jsonl,
)
KINDS: Final = {reader.KIND: reader for reader in _READERS}
"""Every importer by the name it has on the command line."""


def detect_source(root: Path) -> str:
    """The kind; raises `SourceUnknown` unless `root` holds exactly one kind that can be read."""
    if not root.exists():
        raise SourceUnknown(source=str(root), why="it is not there")
    found = [kind for kind, reader in KINDS.items() if reader.looks_like(root)]
    if len(found) == 1:
        return found[0]
    why = f"it holds more than one kind: {', '.join(found)}" if found else "no known file is in it"
    raise SourceUnknown(source=str(root), why=why)


def read_source(
    root: Path,
    kind: str | None = None,
    zone: str = "UTC",
    policies: PolicySet | None = None,
    *,
    allow_pickle: bool = False,
) -> Iterator[Found]:
    """Everything at `root`: items, what was quarantined, what was passed over.

    Files are read as the iterator is; nothing is ever written. See `Options` for the rest.
    """
    options = Options(zone_named(zone), policies, allow_pickle)
    if kind is not None and kind not in KINDS:
        why = f"{kind!r} is not one of the kinds {', '.join(KINDS)}"
        raise SourceUnknown(source=str(root), why=why)
    return KINDS[kind or detect_source(root)].read(root, options)
