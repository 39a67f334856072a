"""What replicas send each other, and how it is cut into pages (CRDT_SPEC 5.1, 5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memtend.crdt.causal import Dot
from memtend.crdt.rows import Sibling

Counts = dict[str, int]


class Path(NamedTuple):
    """One key: siblings that may be new to the receiver, dots of the others, the log entry."""

    siblings: tuple[Sibling, ...]
    dots: tuple[Dot, ...]
    log: Counts


class Delta(NamedTuple):
    sender: str
    seen: Counts
    since: Counts
    full: bool
    keys: dict[str, Path]
    floor: Counts
    hlc: int
    sent_ms: int


class Page(NamedTuple):
    """The delta without the keys of the other pages; `of` is how many there are."""

    part: Delta
    number: int
    of: int


def pages_of(delta: Delta) -> list[Page]:
    """One key a page; at least one page."""
    parts = [{key: path} for key, path in sorted(delta.keys.items())] or [{}]
    return [Page(delta._replace(keys=keys), n, len(parts)) for n, keys in enumerate(parts)]


def assembled(pages: Sequence[Page]) -> Delta | None:
    """What `pages_of` cut; a page may come twice and early. None: not all, or not of one delta."""
    heads = [page.part._replace(keys={}) for page in pages]
    if not pages or any(head != heads[0] for head in heads):
        return None
    if {page.number for page in pages} != set(range(pages[0].of)):
        return None
    keys = {key: path for page in pages for key, path in page.part.keys.items()}
    return heads[0]._replace(keys=keys)
