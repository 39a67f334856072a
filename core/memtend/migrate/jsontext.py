"""JSON from strangers, read so that nothing is bent on the way.

Doubled keys, NaN, integers of any size and halves of surrogate pairs stay visible in what `parse`
returns and quarantine the one item that has them. The fast parser is used only where it provably
says the same as the exact one:

- A doubled key loses at least its own colon, so as many colons in the text as in what is written
  again means that no key was doubled. Only an escape `\\u003a` could make up for one.
- An integer that does not fit 64 bits becomes a float of 2^63 or more, which is written with `e+`.
- Whatever else the two see differently, the fast one refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from memtend.codec.canonical import written
from memtend.limits_foreign import PROOF_BYTES_MAX
from memtend.model.unreadable import Unreadable

_BOM: Final = b"\xef\xbb\xbf"
_COLON_ESCAPED: Final = b"\\u003"
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]', re.DOTALL)


class Parsed(NamedTuple):
    """`plain`: no object in it gives a key twice, and nothing in it is nested too deeply.

    `texts` are the items of a short list in canonical form, because the proof needs them anyway.
    """

    value: Any
    plain: bool
    texts: list[bytes] | None = None


class DoubledKeys(dict[str, Any]):
    """A JSON object that gave a key twice. Its value is not known, so it is never stored."""


class TooDeep(NamedTuple):
    """One item of a list that is nested too deeply to be read, as it stands there."""

    data: bytes


def parse(data: bytes) -> Parsed:
    """The value of a JSON text; raises `Unreadable` with the place of the mistake.

    In a list, an item that is nested too deeply is `TooDeep` and does not take the others along.
    """
    try:
        return _fast(data)
    except (_Doubtful, ValueError):
        pass
    if not data.strip():
        raise Unreadable("it is empty")
    try:
        return Parsed(_exact(data), plain=False)
    except RecursionError:
        return Parsed(list(map(_element, _elements(data))), plain=False)


class _Doubtful(Exception):
    """The fast parser may have bent something."""


def _fast(data: bytes) -> Parsed:
    if _COLON_ESCAPED in data:
        raise _Doubtful
    value = orjson.loads(data.removeprefix(_BOM))
    texts = _texts(value) if len(data) <= PROOF_BYTES_MAX else None
    if texts is not None:
        colons = sum(map(_colons, texts))
    else:
        # Item by item: a second copy of all of it is never in memory.
        parts = value if isinstance(value, list) else (value,)
        colons = sum(map(_colons, map(_again, parts)))
    if data.count(b":") != colons:
        raise _Doubtful
    return Parsed(value, plain=True, texts=texts)


def _texts(value: Any) -> list[bytes] | None:
    if not isinstance(value, list):
        return None
    try:
        return list(map(written, value))
    except TypeError:  # an integer that a record cannot keep; only its own item is refused
        return None


def _again(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        raise _Doubtful from None


def _colons(text: bytes) -> int:
    if b"+" in text and b"e+" in text:
        raise _Doubtful
    return text.count(b":")


def _exact(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error.msg}, line {error.lineno}") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else DoubledKeys(found)


def _elements(data: bytes) -> Iterator[bytes]:
    """The items of a list, cut at its own commas; raises `Unreadable` for anything else."""
    text = data.removeprefix(_BOM).strip()
    if not (text.startswith(b"[") and text.endswith(b"]")):
        raise Unreadable("its JSON is nested too deeply")
    depth, start = 0, 1
    for token in _TOKEN.finditer(text, 1, len(text) - 1):
        mark = token[0]
        if mark in (b"[", b"{"):
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
        elif mark == b"," and depth == 0:
            yield text[start : token.start()]
            start = token.end()
        if depth < 0:
            break
    if depth:
        raise Unreadable("its JSON is nested too deeply, and its brackets do not match")
    yield text[start:-1]


def _element(data: bytes) -> Any:
    try:
        return _exact(data)
    except RecursionError:
        return TooDeep(data.strip())


def as_text(value: Any, otherwise: bytes) -> bytes:
    """The bytes of one item for the quarantine: what was parsed, NaN and all."""
    try:
        return json.dumps(value, ensure_ascii=True).encode()
    except (RecursionError, TypeError):
        return otherwise


def refuse_doubled_keys(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DoubledKeys):
            raise Unreadable("an object in it gives a key twice")
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
