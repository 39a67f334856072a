"""Texts that are nearly the same: by the words in threes that they have in common. Pure.

MinHash (datasketch) brings together what may be alike, in time that grows with the number of texts
and not with that of their pairs; then the words themselves are compared, so a similarity that is
told is exact. Whatever is near something is near the one that stays, and not only near another one
that goes: nearness is handed on by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from xxhash import xxh32_intdigest

from memtend.alike.groups import Told
from memtend.errors import SimilarPackageMissing
from memtend.limits_upkeep import NEAR_WORDS_MAX
from memtend.model.candidate import Alike

_WORD: Final = re.compile(r"\w+")
_PERMUTATIONS: Final = 128
_TOGETHER: Final = 3
_BELOW_ONE: Final = 0.999
"""Different texts of the same words: 1 is for equal ones."""


class Worded(NamedTuple):
    """A record with the numbers of its words in threes, each once, in order."""

    told: Told
    words: Any


def worded(told: Told, text: bytes) -> Worded:
    """Raises `SimilarPackageMissing`."""
    numpy, _ = _packages()
    found = _WORD.findall(text.decode("utf-8", "replace").casefold())[:NEAR_WORDS_MAX]
    threes = zip(*(found[start:] for start in range(_TOGETHER)), strict=False)
    hashes = [xxh32_intdigest(" ".join(three).encode()) for three in threes]
    return Worded(told, numpy.unique(numpy.array(hashes, dtype=numpy.uint32)))


def near(group: Iterable[Worded], similarity: float) -> Iterator[Alike]:
    """Of texts that are at least so similar, all but the one that stays; of equal ones, of which
    `groups.exact` tells, only the one that stays takes part."""
    numpy, sketch = _packages()
    index = sketch.MinHashLSH(threshold=similarity, num_perm=_PERMUTATIONS)
    leaders: dict[int, Worded] = {}
    seen: set[bytes] = set()
    for one in sorted(group, key=lambda one: one.told.rank):
        if one.told.text in seen or not len(one.words):
            continue
        seen.add(one.told.text)
        mark = sketch.MinHash(num_perm=_PERMUTATIONS, hashfunc=int)
        mark.update_batch(one.words)
        share, keeper = max(
            ((_share(numpy, one, leaders[seq]), seq) for seq in index.query(mark)),
            default=(0.0, 0),
        )
        if share < similarity:
            index.insert(one.told.seq, mark)
            leaders[one.told.seq] = one
            continue
        stays = leaders[keeper].told
        path = f"{stays.namespace}/{stays.key}"
        yield Alike(one.told.seq, stays.seq, path, min(share, _BELOW_ONE))


def _share(numpy: Any, one: Worded, other: Worded) -> float:
    """Words in threes that both have, as a share of those that either has."""
    both = len(numpy.intersect1d(one.words, other.words, assume_unique=True))
    return both / (len(one.words) + len(other.words) - both)


def _packages() -> tuple[Any, Any]:
    try:
        import datasketch  # noqa: PLC0415 — an extra
        import numpy  # noqa: PLC0415 — comes with it
    except ImportError as error:
        raise SimilarPackageMissing(package=error.name or "datasketch") from error
    return numpy, datasketch
