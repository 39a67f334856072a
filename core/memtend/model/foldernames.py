"""Names of agents as names of folders, one to one, on every usual file system.

Most names are their own folder. One that could lead elsewhere, that some system reserves, or that
an AML tree uses itself is quoted as a segment is (`model.quoting`):

    >>> folder_of("coder"), folder_of("coder ü"), folder_of("../etc")
    ('coder', 'coder ü', 'q=..=2Fetc')
    >>> name_of("q=..=2Fetc"), name_of("q=coder")
    ('../etc', 'q=coder')

Many file systems take names for one that differ only in case, or in how an accent is composed;
whoever writes both into one folder gives one of them its other name:

    >>> folder_apart("Ada"), name_of("q==41=64=61")
    ('q==41=64=61', 'Ada')

Only what these two would have written is unquoted, so a folder that merely looks quoted keeps its
name.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

from memtend.errors import InvalidName
from memtend.model.quoting import quoted, unquote_segment

SHARED: Final = frozenset(("config", "global", "monitoring", "audit"))
"""Folders of an AML tree that are no agents."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_ODD: Final = frozenset('/\\<>:"|?*')
_BYTES_MAX: Final = 255


def folder_of(name: str) -> str:
    """The folder of an agent. It never leads out of the folder that it is in."""
    if _is_safe(name):
        return name
    made = quoted(name).replace(":", "=3A")
    return f"{made[:-1]}=2E" if made.endswith(".") else made


def folder_apart(name: str) -> str:
    """The other folder of an agent, which every file system tells from all others."""
    data = name.encode("utf-8", "surrogatepass")
    return "q=" + "".join(f"={byte:02X}" for byte in data)


def folded(folder: str) -> str:
    """The same text for folders that some file system takes for one."""
    return normalize("NFC", normalize("NFC", folder).casefold())


def name_of(folder: str) -> str:
    """The agent whose folder this is."""
    try:
        name = unquote_segment(folder)
    except InvalidName:
        return folder
    ours = name and folder in (folder_of(name), folder_apart(name))
    return name if ours else folder


def _is_safe(name: str) -> bool:
    return (
        name.isprintable()
        and not _ODD.intersection(name)
        and not name.startswith((".", " ", "q="))
        and not name.endswith((".", " "))
        and not _RESERVED.fullmatch(name)
        and name not in SHARED
        and 0 < len(name.encode("utf-8", "surrogatepass")) <= _BYTES_MAX
    )
