"""Pages of deltas that the first version wrote are read for ever.

Compressed bytes may differ between versions of zstd; what is compressed may not. Made by

    python -c 'from tests.unit import test_delta_golden as golden; golden.make()'
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.codec.delta import Page, mark_of, read_page, write_pages
from memtend.codec.deltacheck import check_head, check_item, joined
from memtend.codec.envelope import Body, content_of
from memtend.errors import DeltaRefused
from memtend.limits import DELTA_PAGE_BYTES
from memtend.model.delta import Carried, DeltaHead, Ended, Item, Named
from memtend.model.dot import Dot

GOLDEN = Path(__file__).parents[1] / "golden" / "delta"
A, B, C = "0a" * 16, "0b" * 16, "0c" * 16
NOW_MS = 1_750_000_000_000
HEAD = DeltaHead(
    sender=A,
    store_id="5e" * 16,
    epoch=2,
    vv={A: 7, B: 3},
    since={B: 2},
    full=True,
    floor={A: 1},
    hlc=NOW_MS << 16 | 9,
    sent_ms=NOW_MS,
    heard={C: NOW_MS - 5},
)


def carried(replica: str, n: int, text: bytes, exp_ms: int | None = None, **more: Any) -> Carried:
    body = Body(replica, n, NOW_MS << 16 | n, 0, NOW_MS, len(text), None, "note")
    return Carried(body._replace(**more).pack(), exp_ms, text)


ITEMS = [
    Item("agents/a", "n", "", (carried(A, 5, b"[0,0,3,1]", type=1, writer="ada"),), ()),
    Item(
        "notes", "k", "",
        (
            carried(A, 2, '{"ä":"中"}'.encode(), NOW_MS + 1, tags=("t", "u"), extra=b"\x80"),
            Named(Dot(B, 2), mark_of(None, b"body", content_of(b"1"))),
            carried(B, 3, b"null", trust="quarantined", pinned=True, confidence=0.5),
        ),
        (Ended(Dot(A, 7), NOW_MS, "deleted"),),
    ),
    Item("notes", "set", "e1", (), (Ended(Dot(A, 4), NOW_MS - 9, "swept"),)),
]  # fmt: skip


def make() -> None:
    GOLDEN.mkdir(parents=True, exist_ok=True)
    [page] = write_pages(HEAD, ITEMS)
    (GOLDEN / "page-0").write_bytes(page)


def read(data: bytes) -> tuple[Page, list[Item]]:
    page = read_page(data)
    return page, list(joined(page.items()))


def test_the_first_version_is_read() -> None:
    page, items = read((GOLDEN / "page-0").read_bytes())
    assert (page.number, page.last, page.after, page.head) == (0, True, bytes(16), HEAD)
    assert items == ITEMS


def test_the_same_is_written() -> None:
    golden = (GOLDEN / "page-0").read_bytes()
    [written] = write_pages(HEAD, ITEMS)
    assert read_page(written)._replace(digest=b"") == read_page(golden)._replace(digest=b"")
    assert written[:10] == golden[:10]


def test_what_is_written_may_be_said() -> None:
    check_head(HEAD)
    for item in ITEMS:
        check_item(HEAD, item)


def test_an_empty_delta_is_one_page() -> None:
    [page] = write_pages(HEAD, [])
    assert read(page)[1] == []


def test_a_path_may_fill_several_pages() -> None:
    long = [carried(A, n, b'"%s"' % (b"x" * (DELTA_PAGE_BYTES - 100))) for n in (1, 2, 3)]
    item = Item("notes", "k", "", tuple(long), (Ended(Dot(A, 7), 0, "deleted"),))
    pages = list(map(read_page, write_pages(HEAD, [item, ITEMS[2]])))
    assert [page.number for page in pages] == [0, 1, 2, 3][: len(pages)]
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert [page.after for page in pages[1:]] == [page.digest for page in pages[:-1]]
    assert list(joined(one for page in pages for one in page.items())) == [item, ITEMS[2]]


@given(st.data())
def test_a_flipped_bit_is_found(data: st.DataObject) -> None:
    [page] = write_pages(HEAD, ITEMS)
    at = data.draw(st.integers(0, len(page) * 8 - 1))
    damaged = bytearray(page)
    damaged[at // 8] ^= 1 << at % 8
    with pytest.raises(DeltaRefused):
        read(bytes(damaged))


def test_a_mark_covers_everything_but_how_it_is_stored() -> None:
    marks = {
        mark_of(exp, body, content)
        for exp in (None, 0, 1)
        for body in (b"a", b"b")
        for content in (-1, 0)
    }
    assert len(marks) == 12
