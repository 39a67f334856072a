"""Files that hold a list, one item a line; one is open at a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from memtend.export.aml_files import ALERT, Slot
from memtend.export.packing import packed

if TYPE_CHECKING:
    from memtend.export.tree import Files


class Lists:
    def __init__(self, files: Files) -> None:
        self._files = files
        self._stack = ExitStack()
        self._slot: Slot | None = None
        self._file: BinaryIO

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._end()
        else:
            self._stack.__exit__(*error)

    def add(self, slot: Slot, text: bytes) -> None:
        if slot != self._slot:
            self._end()
            file = self._stack.enter_context(self._files.file(slot.file))
            self._file = self._stack.enter_context(packed(file, slot.file))
            self._file.write(b'{"alerts":[\n' if slot.kind == ALERT else b"[\n")
            self._slot = slot
        else:
            self._file.write(b",\n")
        self._file.write(text)

    def _end(self) -> None:
        if self._slot is not None:
            self._file.write(b"\n]}\n" if self._slot.kind == ALERT else b"\n]\n")
        self._stack.close()
        self._slot = None
