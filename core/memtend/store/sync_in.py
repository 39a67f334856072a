"""A delta that has arrived: checked, and kept until it is merged; a long one on the disk."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

from memtend.codec.delta import FIRST, Page, read_page
from memtend.codec.deltacheck import check_head, check_item, joined
from memtend.errors import DeltaRefused
from memtend.limits import DELTA_PAGES_MAX, DELTA_SPOOL_BYTES
from memtend.model.delta import DeltaHead, Item
from memtend.store.durable import translated

_LENGTH: Final = struct.Struct(">Q")


class Received:
    """`fill` first; then `items`, as often as one likes. Leaving the block removes the pages."""

    def __init__(self, url: str) -> None:
        from tempfile import SpooledTemporaryFile  # noqa: PLC0415 — most processes receive nothing

        self._url = url
        self._file = SpooledTemporaryFile(max_size=DELTA_SPOOL_BYTES)  # noqa: SIM115 — __exit__ does
        self._head: DeltaHead | None = None
        self._raw_bytes = 0
        self._held: list[Item] = []
        """What it says, as long as that is little: then nothing is read twice."""
        self.namespaces: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def fill(self, pages: Iterable[bytes]) -> DeltaHead:
        """Keep the pages and check all that they say; raises `DeltaRefused`."""
        items = joined(self._keep(pages))
        first = next(items, None)
        if self._head is None:
            raise DeltaRefused(why="it has no pages")
        while first is not None:
            check_item(self._head, first)
            self.namespaces.add(first.namespace)
            if self._raw_bytes <= DELTA_SPOOL_BYTES:
                self._held.append(first)
            else:
                self._held = []
            first = next(items, None)
        return self._head

    def items(self) -> Iterator[Item]:
        """What it says of each path, once more."""
        if self._raw_bytes <= DELTA_SPOOL_BYTES:
            return iter(self._held)
        return joined(item for page in self._again() for item in page.items())

    def _keep(self, pages: Iterable[bytes]) -> Iterator[Item]:
        after, last = FIRST, False
        for number, data in enumerate(pages):
            if last or number >= DELTA_PAGES_MAX:
                raise DeltaRefused(why="there are more pages than it has")
            if not isinstance(data, bytes):
                raise DeltaRefused(why="a page is not bytes")
            page = read_page(data)
            if page.number != number or page.after != after:
                raise DeltaRefused(why=f"page {number} does not follow on the one before")
            after, last = page.digest, page.last
            if page.head is not None:
                check_head(page.head)
                self._head = page.head
            self._raw_bytes += len(page.raw)
            with translated(self._url):
                self._file.write(_LENGTH.pack(len(data)) + data)
            yield from page.items()
        if not last:
            raise DeltaRefused(why="its last page is missing")

    def _again(self) -> Iterator[Page]:
        self._file.seek(0)
        while header := self._file.read(_LENGTH.size):
            yield read_page(self._file.read(_LENGTH.unpack(header)[0]))
