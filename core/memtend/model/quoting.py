"""Foreign names as our names, one to one.

A segment that is not allowed as it is (`model.names`) becomes `q=` and its UTF-8 bytes, of which
those outside `A-Z a-z 0-9 . _ : @ + -` are written `=HH`. A segment that already starts with `q=`
is quoted too, so two names never become one:

    >>> quote_name("knowledge/REST API")
    'knowledge/q=REST=20API'
    >>> unquote_name("knowledge/q=REST=20API")
    'knowledge/REST API'

Quoting does not shorten: a name that is too long stays too long, and `check_name` says so.
"""

from __future__ import annotations

import re
from typing import Final

from memtend.errors import InvalidName

_MARK: Final = "q="
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@=+-]*", re.ASCII)
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-")
_QUOTED = re.compile(r"q=(?:[A-Za-z0-9._:@+-]|=[0-9A-F]{2})*", re.ASCII)


def quote_name(text: str) -> str:
    if "/" not in text:
        return quote_segment(text)
    return "/".join(map(quote_segment, text.split("/")))


def unquote_name(name: str) -> str:
    return "/".join(map(unquote_segment, name.split("/")))


def quote_segment(text: str) -> str:
    """One segment, whatever is in it: a `/` is quoted as well."""
    return text if _PLAIN.fullmatch(text) and not text.startswith(_MARK) else quoted(text)


def quoted(text: str) -> str:
    """The quoted form, also of what could stand as it is."""
    data = text.encode("utf-8", "surrogatepass")
    return _MARK + "".join(chr(b) if b in _KEPT else f"={b:02X}" for b in data)


def unquote_segment(segment: str) -> str:
    if not segment.startswith(_MARK):
        return segment
    if not _QUOTED.fullmatch(segment):
        raise InvalidName(what="segment", name=segment, why="it is not a quoted name")
    data = re.sub(rb"=(..)", lambda found: bytes.fromhex(found[1].decode()), segment[2:].encode())
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise InvalidName(what="segment", name=segment, why="it quotes no text") from None
