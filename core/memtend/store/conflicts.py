"""Finding contested keys, and reading all that is visible of one.

Only namespaces are looked at in which a write or a merge ever left siblings beside each other, and
those whose policy fixes the kind of its keys, where a single value may be of the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.store.views import fixed_kind, of_kind

if TYPE_CHECKING:
    from memtend.model.policy import Policy
    from memtend.store.config import Config
    from memtend.store.reads import Reads
    from memtend.store.seen import Seen
    from memtend.store.store import Store

_PAGE: Final = 500
_ANY: Final = -1
_AGREEING: Final = (RowKind.COUNTER, RowKind.ELEMENT)


class Contested(NamedTuple):
    """A key or field with more than one value in question. `own`, of `kind`, make up what is
    shown; `foreign` are of other kinds."""

    namespace: str
    key: str
    field: str
    kind: RowKind
    own: list[Seen]
    foreign: list[Seen]

    @property
    def seen(self) -> list[Seen]:
        return [*self.own, *self.foreign]

    @property
    def since_ms(self) -> int:
        """When there was more than one of them; of a single foreign one, when it was written."""
        times = sorted(millis(one.body.ts) for one in self.seen)
        return times[min(1, len(times) - 1)]


def contested_in(
    store: Store, config: Config, reads: Reads, namespace: str, *, strays: bool = True
) -> Iterator[Contested]:
    """The conflicts of one namespace in key order; without `strays`, none of one value alone."""
    ns = store.namespaces.find(namespace)
    if ns is None:
        return
    policies = config.policies_in(namespace)
    ways = []
    if ns[0] in store.namespaces.contested:
        ways.append(_paged(store, "crowded", ns[0], (ns[0],)))
    kinds = {kind for kind in map(fixed_kind, policies) if kind is not None}
    if strays and kinds:
        ways.append(_paged(store, "strays", ns[0], (kinds.pop() if len(kinds) == 1 else _ANY,)))
    last = None
    for key, field in merge(*ways):
        if (key, field) != last and (found := contest(store, config, reads, namespace, key, field)):
            yield found
        last = key, field


def contest(
    store: Store, config: Config, reads: Reads, namespace: str, key: str, field: str = ""
) -> Contested | None:
    """What is in question at one path; None where nothing is."""
    ns = store.namespaces.find(namespace)
    rows = store.engine.read("get_field", (ns[0], key, field)) if ns else []
    seen = reads.siblings(namespace, key, rows, field, cold=False)
    if not seen:
        return None
    kind = _kind_at(config.policy(namespace, key), field, seen)
    own = of_kind(seen, kind)
    foreign = [one for one in seen if one not in own]
    several = len(own) > 1 and kind not in _AGREEING
    return Contested(namespace, key, field, kind, own, foreign) if several or foreign else None


def _kind_at(policy: Policy, field: str, seen: list[Seen]) -> RowKind:
    """The kind that belongs at a path. Where no policy says it, a value goes before the parts of a
    counter, and a field has the kind of its newest sibling."""
    fixed = fixed_kind(policy)
    if fixed is None:
        own = seen if field else of_kind(seen, None)
        return RowKind(max(own, key=lambda one: one.body.ts).body.type)
    return fixed


def _paged(
    store: Store, statement: str, ns: int, more: tuple[int, ...]
) -> Iterator[tuple[str, str]]:
    after = ("", "")
    while rows := store.engine.read(statement, (ns, *after, *more, _PAGE)):
        yield from rows
        after = rows[-1]
