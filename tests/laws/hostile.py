"""Deltas that somebody has tampered with: bytes, and fields below checksums that are right.

A delta is taken apart into plain lists, one thing anywhere within is changed, and it is put
together again with lengths and digests that hold. So what is tested is what a page says, and not
only that its checksum is checked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import ormsgpack
import zstandard
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from memtend.codec.delta import FIRST, MAGIC, Page, read_page
from memtend.formats import DELTA_FORMAT
from memtend.limits import ZSTD_LEVEL

PREFIX: Final = struct.Struct(">8sHI16s")
LENGTH: Final = struct.Struct(">I")
HEADER_CELLS: Final = 5
BODY: Final = "body taken apart"
Opened = list[list[Any]]
"""Per page its header and its items. Bodies of siblings are taken apart, too."""

_NUMBERS: Final = (-1, 0, 1, 2, 63, 64, 65, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
_TEXTS: Final = ("", "a", "w/a", "../a", "a\0b", "é", "x" * 600, "/", "a//b", "1e999", "deleted")
_BYTES: Final = (b"", b"\0", bytes(16), b"\xff" * 16, b"{}", b'{"a":NaN}', b"[" * 99, b"1e999")
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(_NUMBERS),
    st.sampled_from((0.0, -0.5, 1e308, float("inf"), float("nan"))),
    st.sampled_from(_TEXTS),
    st.sampled_from(_BYTES),
    st.integers(-(2**63), 2**64 - 1),
    st.binary(max_size=20),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(scalars.filter(lambda key: isinstance(key, str | int)), inner, max_size=3)
    ),
    max_leaves=6,
)


def opened(pages: list[bytes]) -> Opened:
    found: Opened = []
    for data in pages:
        _, _, length, _ = PREFIX.unpack_from(data)
        header = ormsgpack.unpackb(data[PREFIX.size : PREFIX.size + length])
        found.append([header, _items(read_page(data))])
    return found


def closed(pages: Opened) -> list[bytes]:
    """Pages that say this, each following on the one before."""
    done, after = [], FIRST
    for header, items in pages:
        raw = b"".join(map(_packed, items)) if isinstance(items, list) else _pack(items)
        if isinstance(header, list) and len(header) == HEADER_CELLS:
            header[2] = after if type(header[2]) is bytes else header[2]
            header[3] = len(raw) if type(header[3]) is int else header[3]
        said = _pack(header)
        frame = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(raw)
        after = xxh3_128_digest(said + frame)
        done.append(PREFIX.pack(MAGIC, DELTA_FORMAT, len(said), after) + said + frame)
    return done


def places(root: Any) -> list[tuple[Any, Any]]:
    """Every container within, with each of its indexes or keys."""
    found, waiting = [], [root]
    while waiting:
        at = waiting.pop()
        inner = at if isinstance(at, dict) else range(len(at))
        found += [(at, index) for index in inner]
        waiting += [at[index] for index in inner if isinstance(at[index], list | dict)]
    return found


def tampered(data: st.DataObject, pages: list[bytes]) -> list[bytes]:
    """The same delta with up to three changes to what it says."""
    root = opened(pages)
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(root)
        if not found:
            break
        at, index = found[data.draw(st.integers(0, len(found) - 1))]
        _change(data, at, index)
    return closed([page for page in root if isinstance(page, list) and len(page) == 2])


def scrambled(data: st.DataObject, pages: list[bytes]) -> list[bytes]:
    """The same delta with up to three changes to its bytes, or to the order of its pages."""
    changed = list(pages)
    for _ in range(data.draw(st.integers(1, 3))):
        if not changed:
            break
        number = data.draw(st.integers(0, len(changed) - 1))
        page = changed[number]
        at = data.draw(st.integers(0, max(len(page) - 1, 0)))
        way = data.draw(st.sampled_from(("flip", "cut", "insert", "drop", "twice", "swap")))
        if way == "flip" and page:
            flipped = bytes([page[at] ^ 1 << data.draw(st.integers(0, 7))])
            changed[number] = page[:at] + flipped + page[at + 1 :]
        elif way == "cut":
            changed[number] = page[:at]
        elif way == "insert":
            changed[number] = page[:at] + data.draw(st.binary(min_size=1, max_size=9)) + page[at:]
        elif way == "drop":
            del changed[number]
        elif way == "twice":
            changed.insert(number, page)
        else:
            changed[0], changed[number] = changed[number], changed[0]
    return changed


def _change(data: st.DataObject, at: Any, index: Any) -> None:
    ways: dict[str, Callable[[], Any]] = {
        "another": lambda: at.__setitem__(index, data.draw(values)),
        "near": lambda: at.__setitem__(index, _near(data, at[index])),
    }
    if isinstance(at, list):
        ways["drop"] = lambda: at.pop(index)
        ways["twice"] = lambda: at.insert(index, at[index])
        ways["swap"] = lambda: at.insert(0, at.pop(index))
    ways[data.draw(st.sampled_from(sorted(ways)))]()


def _near(data: st.DataObject, value: Any) -> Any:
    """Almost the same: what an honest program with a defect might have written."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(-(2**63), min(2**64 - 1, value + data.draw(st.integers(-2, 2))))
    if isinstance(value, bytes) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    if isinstance(value, str):
        return value + data.draw(st.sampled_from(("a", "/", "\0", ".")))
    return data.draw(values)


def _items(page: Page) -> list[Any]:
    found, raw, at = [], page.raw, 0
    while at < len(raw):
        (length,) = LENGTH.unpack_from(raw, at)
        item = ormsgpack.unpackb(raw[at + LENGTH.size : at + LENGTH.size + length])
        for told in item[3]:
            if told[0]:
                told[1] = {BODY: ormsgpack.unpackb(told[1])}
        found.append(item)
        at += LENGTH.size + length
    return found


def _packed(item: Any) -> bytes:
    data = _pack(_with_bodies(item))
    return LENGTH.pack(len(data)) + data


def _with_bodies(value: Any) -> Any:
    """Bodies put together again."""
    if isinstance(value, list):
        return [_with_bodies(one) for one in value]
    if isinstance(value, dict) and list(value) == [BODY]:
        return _pack(value[BODY])
    return value


def _pack(value: Any) -> bytes:
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)
