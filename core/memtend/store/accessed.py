"""Which noted accesses are of something that the store knows of, and the sample as columns.

An access is kept while anything in the store still says that its record was there: a row, the
change log, a ghost. An erasure takes all three away, so nothing of what was erased is written
afterwards. A miss is kept only where something is missed: a record that had expired or was pruned,
or one that the sample has seen before. Who asks for what never was there tells nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memtend.limits import BATCH_MAX
from memtend.store import ghosts
from memtend.store.sampled import MISS, Sample, digest_of
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.store.access import Place
    from memtend.store.engine import Transaction
    from memtend.store.store import Store

Events = list[tuple[int, int]]
"""When, and what it was."""
_GONE: Final = ("swept", ghosts.PRUNED)
_UNKNOWN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Accesses:
    """The sample as columns, in no order. `digest` tells entries apart, `ns` is in `names`.

    `size` is NaN where nothing was there. `rate` is the share of all keys whose accesses are here,
    `since_ms` the time of the first one, `until_ms` that of the look.
    """

    digest: array[int]
    ns: array[int]
    at_ms: array[int]
    what: array[int]
    size: array[float]
    names: dict[int, str]
    rate: float
    since_ms: int
    until_ms: int

    def __len__(self) -> int:
        return len(self.at_ms)


def known_rows(
    store: Store, tx: Transaction, noted: Mapping[Place, Events]
) -> Iterator[tuple[int, int, int, int, int]]:
    """Digest, namespace, time, sort and size of those accesses that are to be kept."""
    by_namespace: dict[str, dict[str, Events]] = {}
    for (namespace, key), events in noted.items():
        by_namespace.setdefault(namespace, {})[key] = events
    for namespace, keys in sorted(by_namespace.items()):
        found = tx.fetch("namespace", (namespace,))
        names = sorted(keys) if found else []
        for start in range(0, len(names), BATCH_MAX):
            page = {key: digest_of((namespace, key)) for key in names[start : start + BATCH_MAX]}
            told = _Told(store, tx, namespace, int(found[0][0]), page)
            for key, digest in page.items():
                for at_ms, what in told.kept(key, keys[key]):
                    yield digest, told.ns, at_ms, what, told.sizes.get(key, (0, None))[0]


class _Told:
    """What the store says of some keys of a namespace."""

    def __init__(
        self, store: Store, tx: Transaction, namespace: str, ns: int, page: Mapping[str, int]
    ) -> None:
        self.ns = ns
        self._page = page
        names = store.engine.array(list(page))
        self.sizes: dict[str, tuple[int, int | None]] = {
            key: (int(size), exp) for key, size, exp in tx.fetch("sizes_at", (ns, names))
        }
        self._ends: dict[str, str] = dict(tx.fetch("endings_of", (ns, names)))
        by_digest = {ghosts.digest_of(key): key for key in page}
        rows = tx.fetch("ghosts_at", (namespace, store.engine.array(list(by_digest))))
        self._ghosts = {by_digest[row[1]] for row in sound(rows)}
        seen = tx.fetch("accesses_seen", (ns, store.engine.array(list(page.values()))))
        self._seen = {digest for (digest,) in seen}

    def kept(self, key: str, events: Events) -> Iterator[tuple[int, int]]:
        ghost, why = key in self._ghosts, self._ends.get(key)
        if not ghost and why is None and key not in self.sizes:
            return
        _, exp = self.sizes.get(key, (0, None))
        seen = self._page[key] in self._seen
        for at_ms, what in events:
            if what != MISS:
                seen = True
            elif why is not None and not ghost and why not in _GONE:
                continue  # somebody has deleted it on purpose
            elif not (ghost or why or seen or (exp is not None and exp <= at_ms)):
                continue
            yield at_ms, what


def accesses_of(
    store: Store, since_ms: int = 0, *, namespaces: Sequence[str] | None = None
) -> Accesses:
    """The sample since a time, of all namespaces or of some.

    What a clock that ran ahead has noted for later than now is left out.
    """
    now_ms = store.clock.now_ms()
    columns = array("q"), array("q"), array("q"), array("b"), array("d")
    digests, spaces, times, sorts, sizes = columns
    with store.engine.snapshot() as reader:
        names = {number: str(path) for number, path, _ in reader.fetch("namespaces")}
        if namespaces is not None:
            names = {number: path for number, path in names.items() if path in set(namespaces)}
        for digest, ns, at_ms, what, size, _ in sound(reader.stream("accesses_since", (since_ms,))):
            if ns in names and at_ms <= now_ms:
                digests.append(digest)
                spaces.append(ns)
                times.append(at_ms)
                sorts.append(what)
                sizes.append(size or _UNKNOWN)
        rate = Sample.now(reader).rate
    return Accesses(*columns, names, rate, min(times, default=now_ms), now_ms)
