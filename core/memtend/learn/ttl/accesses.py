"""Accesses as arrays, and what is known of each at its time: the gap to the next use, censored.

A log that was sampled by the hash of the key holds whole histories of some keys: its gaps need no
correction, only counts and rates do (`rate`). A read that missed is an access like any other: it
tells when the entry was wanted, which is what a TTL is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memtend.errors import AccessesUnusable
from memtend.learn.feedback import Floats, Ints
from memtend.learn.ttl.features import features


@dataclass(frozen=True)
class Gaps:
    """One row an access: what was known (`X`), and how long until the entry was used again.

    `event` is false where the log ends first: then the entry was not used for at least `gap`.
    """

    X: Floats
    cls: Ints
    size: Floats
    gap: Floats
    event: NDArray[np.bool_]
    t: Floats

    def __len__(self) -> int:
        return len(self.gap)

    def where(self, rows: NDArray[np.bool_] | Ints) -> Gaps:
        return Gaps(self.X[rows], self.cls[rows], self.size[rows], self.gap[rows],
                    self.event[rows], self.t[rows])  # fmt: skip

    def known_at(self, time: float) -> Gaps:
        """What was known at a time: later accesses are gone, gaps that reach beyond it censored."""
        past = self.where(self.t < time)
        seen = time - past.t
        event = past.event & (past.gap <= seen)
        return replace(past, event=event, gap=np.minimum(past.gap, seen))

    def since(self, time: float) -> Gaps:
        return self.where(self.t >= time)


@dataclass(frozen=True)
class Accesses:
    """In order of time. `cls` is the key class that TTLs are made for: by default the namespace."""

    t: Floats  # seconds
    key: Ints  # codes: equal for accesses of one entry
    ns: Ints  # codes into ns_names
    size: Floats  # bytes
    ns_names: tuple[str, ...]
    cls: Ints
    cls_names: tuple[str, ...]
    end: float  # seconds: until when the log was watched
    rate: float = 1.0  # share of the keys whose accesses are here

    @classmethod
    def of(
        cls,
        t: ArrayLike,
        key: ArrayLike,
        ns: ArrayLike,
        size: ArrayLike,
        ns_names: Sequence[str],
        *,
        classes: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        end: float | None = None,
        rate: float = 1.0,
    ) -> Accesses:
        """Sorts by time; `key` may hold any values that compare equal for one entry.

        A size that is not known (NaN: a read that missed) is that of the entry's last access.
        Raises `AccessesUnusable`.
        """
        lengths = {len(np.asarray(one)) for one in (t, key, ns, size)}
        lengths |= set() if classes is None else {len(np.asarray(classes))}
        if len(lengths) > 1:
            raise AccessesUnusable(why=f"the columns have {sorted(lengths)} rows")
        times = np.asarray(t, np.float64)
        order = np.argsort(times, kind="stable")
        times = times[order]
        _, keys = np.unique(np.asarray(key), return_inverse=True)
        keys = keys.reshape(-1).astype(np.int64)[order]
        spaces = np.asarray(ns, np.int64)[order]
        own = spaces if classes is None else np.asarray(classes, np.int64)[order]
        names = tuple(ns_names) if class_names is None else tuple(class_names)
        until = end if end is not None else float(times[-1]) if len(times) else 0.0
        sizes = _known(np.asarray(size, np.float64)[order], keys)
        found = cls(times, keys, spaces, sizes, tuple(ns_names), own, names, until, rate)
        found._check()
        return found

    def __len__(self) -> int:
        return len(self.t)

    @cached_property
    def next_gap(self) -> Floats:
        """Seconds to the next access of the same entry; infinite where there is none."""
        order = np.lexsort((np.arange(len(self)), self.key))
        gap = np.full(len(self), np.inf)
        same = self.key[order][1:] == self.key[order][:-1]
        here, there = order[:-1][same], order[1:][same]
        gap[here] = self.t[there] - self.t[here]
        return gap

    @cached_property
    def gaps(self) -> Gaps:
        """Every access with its features and its gap, censored at the end of the log."""
        X = features(self.t, self.key, self.ns, self.size, self.rate)
        seen = self.end - self.t
        event = self.next_gap <= seen
        return Gaps(X, self.cls, self.size, np.where(event, self.next_gap, seen), event, self.t)

    def _check(self) -> None:
        if not len(self.t):
            return
        if not np.all(np.isfinite(self.t)) or self.end < self.t[-1]:
            raise AccessesUnusable(why="a time is not a number, or after the end of the log")
        if self.size.min() <= 0:
            raise AccessesUnusable(why="a size is not above nought")
        if min(self.ns.min(), self.cls.min()) < 0 or self.ns.max() >= len(self.ns_names):
            raise AccessesUnusable(why="a namespace has no name")
        if self.cls.max() >= len(self.cls_names):
            raise AccessesUnusable(why="a key class has no name")
        if not 0 < self.rate <= 1:
            raise AccessesUnusable(why=f"a share of {self.rate:g} of the keys")


def _known(size: Floats, key: Ints) -> Floats:
    """Sizes with the last known one of the key where one is missing; else the mean of all."""
    missing = ~np.isfinite(size)
    if not missing.any():
        return size
    order = np.lexsort((np.arange(len(size)), key))
    fresh = np.r_[True, key[order][1:] != key[order][:-1]]
    at = np.where(fresh | ~missing[order], np.arange(len(size)), 0)
    filled = size[order][np.maximum.accumulate(at)]
    known = size[~missing]
    out = np.empty_like(size)
    out[order] = np.where(np.isfinite(filled), filled, known.mean() if len(known) else 1.0)
    return out
