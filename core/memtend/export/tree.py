"""The files of an export that is a folder, counted as they are written; its manifest comes last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from memtend.export.manifest import NAME, ExportManifest
from memtend.export.packing import Counted

if TYPE_CHECKING:
    from memtend.objects.outlet import Tree


class Files:
    """`sizes` are the lengths of the files that are complete, by name."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.sizes: dict[str, int] = {}

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        with self._tree.file(name) as stream:
            counted = Counted(stream)
            yield cast("BinaryIO", counted)
        self.sizes[name] = counted.size

    def finish(self, manifest: ExportManifest) -> None:
        whole = manifest.model_copy(update={"files": dict(sorted(self.sizes.items()))})
        with self.file(NAME) as file:
            file.write(whole.model_dump_json(indent=2).encode())
