"""The folders and files of one export, named so that no file system takes two of them for one."""

from __future__ import annotations

from collections.abc import Iterable

from memtend.model.foldernames import folded, folder_apart, folder_of


class Folders:
    """`taken` are names that the tree needs itself. Whoever comes first has the plain name."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._names: dict[str, str | None] = {folded(name): None for name in taken}

    def of(self, name: str) -> str:
        folder = folder_of(name)
        first = self._names.setdefault(folded(folder), name)
        return folder if first == name else folder_apart(name)
