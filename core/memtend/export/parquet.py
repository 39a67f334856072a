"""An export as Parquet: one file a kind, flat and typed, for whoever asks questions of all records.

Rows are gathered per kind and written as row groups of bounded size, so memory stays flat however
many records and kinds there are. Kinds beyond a limit share the file `other`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from memtend.errors import PackageMissing
from memtend.export.columns import cells_of, columns_of
from memtend.export.folders import Folders
from memtend.limits import (
    EXPORT_GROUP_BYTES,
    EXPORT_GROUP_ROWS,
    EXPORT_GROUPS_BYTES,
    EXPORT_KINDS_MAX,
)

if TYPE_CHECKING:
    from memtend.export.reading import Exported
    from memtend.export.report import Tally
    from memtend.export.tree import Files

OTHER: Final = "other"
_NAME_BYTES_MAX: Final = 200
_ROW_BYTES: Final = 256


def require_pyarrow() -> None:
    """Raises `PackageMissing` before anything is read."""
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 — an optional extra
    except ImportError as error:
        raise PackageMissing(what="a Parquet export", package="pyarrow") from error


def write(found: Iterable[Exported], files: Files, tally: Tally) -> None:
    with ExitStack() as stack:
        gathered: dict[str, _Kind] = {}
        folders = Folders()
        folders.of(OTHER)  # the name is its own, whichever kind comes first
        held_bytes = 0
        for one in found:
            name = _name(one.top.kind, gathered, folders)
            kind = gathered.get(name)
            if kind is None:
                kind = gathered[name] = _Kind(name, folders.of(name), files, stack)
            before = kind.held_bytes
            kind.add(one)
            tally.took(one.top.kind)
            held_bytes += kind.held_bytes - before
            if held_bytes > EXPORT_GROUPS_BYTES:
                fullest = max(gathered.values(), key=lambda kind: kind.held_bytes)
                held_bytes -= fullest.held_bytes
                fullest.flush()
        for kind in gathered.values():
            kind.flush()
            kind.close()


def _name(kind: str, gathered: dict[str, _Kind], folders: Folders) -> str:
    if kind in gathered:
        return kind
    room = len(gathered) < EXPORT_KINDS_MAX - 1
    return kind if room and len(folders.of(kind).encode()) <= _NAME_BYTES_MAX else OTHER


class _Kind:
    """One file, and the rows of its next row group."""

    def __init__(self, name: str, stem: str, files: Files, stack: ExitStack) -> None:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        types = {
            "text": pa.string(),
            "texts": pa.list_(pa.string()),
            "number": pa.float64(),
            "whole": pa.int64(),
            "truth": pa.bool_(),
            "time": pa.timestamp("ms", tz="UTC"),
        }
        self._name = name
        columns = columns_of(name).items()
        self._schema = pa.schema([(column, types[said]) for column, said in columns])
        file = stack.enter_context(files.file(f"{stem}.parquet"))
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        stack.callback(self._let_go)
        self._rows: list[list[Any]] = []
        self.held_bytes = 0

    def add(self, one: Exported) -> None:
        self._rows.append(cells_of(one, self._name))
        self.held_bytes += len(one.text) + _ROW_BYTES
        if self.held_bytes > EXPORT_GROUP_BYTES or len(self._rows) >= EXPORT_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        import pyarrow as pa  # noqa: PLC0415

        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(cells, type=field.type)
            for cells, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows, self.held_bytes = [], 0

    def close(self) -> None:
        """Write the file's own index; without it a reader takes the file for broken."""
        self._writer.close()

    def _let_go(self) -> None:
        """After an error the writer must not write that index when it is collected."""
        self._writer.is_open = False
