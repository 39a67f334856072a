"""Importer for JSON lines that `memtend export` wrote: records as they were, with all they had.

A record keeps the lineage that it had before it was exported. Bad lines are quarantined one by one;
a file without its last line is what is left of one, and the run says so. Lines are read one at a
time and are bounded, also those of a compressed file.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.codec.lines import END, HEAD, MARK
from memtend.errors import SourceUnknown
from memtend.formats import EXPORT_FORMAT
from memtend.limits import EXPORT_LINE_BYTES_MAX, EXPORT_SKIPPED_BYTES_MAX
from memtend.migrate.files import SourceFile, opened
from memtend.migrate.items import Found, quarantined
from memtend.migrate.jsonl_lines import item_of, parsed
from memtend.model.unreadable import Unreadable

if TYPE_CHECKING:
    from memtend.migrate.reader import Options

KIND: Final = "jsonl"
_ENDINGS: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_WINDOW_BYTES_MAX: Final = 2**27
_CHUNK_BYTES: Final = 2**20
_CUT: Final = "it is cut off: the line that ends an export is missing"


class _Line(NamedTuple):
    number: int
    data: bytes
    whole: bool


def looks_like(root: Path) -> bool:
    return root.name.endswith(_ENDINGS) and root.is_file()


def read(root: Path, options: Options) -> Iterator[Found]:
    """Raises `SourceUnknown` where the first line is not that of an export."""
    file = SourceFile(root, root.name)
    with ExitStack() as stack:
        try:
            lines = _lines(_stream(file, stack))
            head = parsed(next(lines).data)
        except (Unreadable, StopIteration):
            head = None
        if not isinstance(head, dict) or head.get(MARK) != HEAD:
            raise SourceUnknown(source=str(root), why="its first line is not that of an export")
        if head.get("format") != EXPORT_FORMAT:
            why = f"its format {str(head.get('format'))[:32]} is not known"
            raise SourceUnknown(source=str(root), why=why)
        return _read(file, str(head.get("store")), lines, options, stack.pop_all())


def _read(
    file: SourceFile, store: str, lines: Iterator[_Line], options: Options, stack: ExitStack
) -> Iterator[Found]:
    count, ended = 0, None
    with stack:
        try:
            for line in lines:
                count += ended is None
                try:
                    said = _parsed(line, after=ended is not None)
                    if isinstance(said, dict) and said.get(MARK) == END:
                        ended, count = said.get("records"), count - 1
                        continue
                    yield item_of(said, sha256(line.data).digest(), store, file.relative, options)
                except Unreadable as error:
                    yield quarantined(f"{file.relative}:{line.number}", str(error), line.data)
        except Unreadable as error:
            yield quarantined(file.relative, str(error), b"")
        if ended is None:
            yield quarantined(file.relative, _CUT, b"")
        elif ended != count:
            why = f"it should hold {str(ended)[:32]} records and has {count:,} lines"
            yield quarantined(file.relative, why, b"")


def _parsed(line: _Line, *, after: bool) -> Any:
    if not line.whole:
        raise Unreadable(f"it is longer than {EXPORT_LINE_BYTES_MAX:,} bytes")
    if after:
        raise Unreadable("it comes after the end of the export")
    return parsed(line.data)


def _lines(stream: BufferedReader) -> Iterator[_Line]:
    """Raises `Unreadable` where the stream cannot be read on."""
    import zstandard  # noqa: PLC0415

    number = 0
    try:
        while data := stream.readline(EXPORT_LINE_BYTES_MAX + 1):
            number += 1
            whole = len(data) <= EXPORT_LINE_BYTES_MAX
            if not whole and not data.endswith(b"\n"):
                _skip(stream)
            yield _Line(number, data, whole)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise Unreadable(f"it cannot be read on after line {number:,}: {error}") from None


def _skip(stream: BufferedReader) -> None:
    """To the end of a line that is too long; a line without an end is not followed for ever."""
    skipped = 0
    while (data := stream.readline(_CHUNK_BYTES)) and not data.endswith(b"\n"):
        skipped += len(data)
        if skipped > EXPORT_SKIPPED_BYTES_MAX:
            raise Unreadable("a line in it has no end; what comes after is not read")


def _stream(file: SourceFile, stack: ExitStack) -> BufferedReader:
    """The text of a file, unpacked by the ending of its name as it is read."""
    raw: Any = stack.enter_context(opened(file))
    if file.relative.endswith(".gz"):
        raw = stack.enter_context(gzip.GzipFile("", "rb", fileobj=raw))
    elif file.relative.endswith(".zst"):
        import zstandard  # noqa: PLC0415

        maker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX)
        raw = stack.enter_context(maker.stream_reader(raw, read_across_frames=True))
    return BufferedReader(raw)
