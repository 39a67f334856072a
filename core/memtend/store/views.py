"""What a reader is shown of a key's visible siblings, by the policy of its path (CRDT_SPEC 4.4).

Decided at every read and never stored: a change of the policy shows the same state another way.
Every policy but `lww` fixes the kind of its keys; siblings of another kind, which a replica under
other policies may have sent, are kept, counted as conflicts, and not shown (4.5a).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.clock import to_datetime
from memtend.crdt.hlc import millis
from memtend.crdt.rows import RowKind
from memtend.model.names import check_path
from memtend.model.policy import Policy, Reading
from memtend.model.version import Version
from memtend.store.seen import Seen, counter_value, newest

if TYPE_CHECKING:
    from memtend.store.config import Config
    from memtend.store.resolvers import Resolvers

_FIXED: Final = {
    Reading.MV: RowKind.PLAIN,
    Reading.COUNTER: RowKind.COUNTER,
    Reading.SET: RowKind.ELEMENT,
    Reading.MAP: RowKind.FIELD,
}


def fixed_kind(policy: Policy) -> RowKind | None:
    """The one kind that a policy allows; None (`lww`) where the first write of a key decides."""
    return RowKind.PLAIN if policy.resolver is not None else _FIXED.get(policy.reading)


class Shown(NamedTuple):
    """The siblings that make up the value, the newest of them, the value as canonical JSON."""

    own: list[Seen]
    top: Seen
    text: bytes

    @property
    def value(self) -> Any:
        return orjson.loads(self.text)


class Views:
    """The policies of one store as its reads need them."""

    def __init__(self, config: Config, resolvers: Resolvers) -> None:
        self._config = config
        self.resolvers = resolvers

    def reading(self, namespace: str, key: str) -> Reading:
        check_path(namespace, key)
        return self._config.policy(namespace, key).reading

    @property
    def plain(self) -> dict[str, tuple[int, bytes]]:
        """Namespaces known to be plain, for the shortest way of reading; emptied by new ones."""
        return self._config.plain

    def is_plain(self, namespace: str) -> bool:
        """Whether a single plain sibling is shown as it is, whatever its key."""
        policies = self._config.policies_in(namespace)
        return all(fixed_kind(one) in (None, RowKind.PLAIN) for one in policies)

    def own(self, namespace: str, key: str, seen: list[Seen]) -> list[Seen]:
        """Those of the siblings that make up the value."""
        return of_kind(seen, fixed_kind(self._config.policy(namespace, key)))

    def show(self, namespace: str, key: str, seen: list[Seen]) -> Shown | None:
        """None where nothing of the right kind is there. Without texts that are left in the
        archive, no function is asked."""
        policy = self._config.policy(namespace, key)
        own = of_kind(seen, fixed_kind(policy))
        if not own:
            return None
        top = newest(own)
        if top.body.type == RowKind.COUNTER:
            return Shown(own, top, b"%d" % counter_value(own))
        if policy.resolver is not None and len(own) > 1 and all(one.text for one in own):
            made = partial(versions, own)
            text = self.resolvers.resolve(policy.resolver, namespace, key, made)
            return Shown(own, top, text)
        return Shown(own, top, top.text)

    def tagged(self, namespace: str, key: str, seen: list[Seen], tag: str) -> Shown | None:
        """What is shown, if that carries the tag; under `multi_value` the newest that does."""
        found = self.show(namespace, key, seen)
        if found is None or tag in found.top.body.tags:
            return found
        fit = [one for one in found.own if tag in one.body.tags]
        if not fit or self.reading(namespace, key) is not Reading.MV:
            return None
        top = newest(fit)
        return Shown(found.own, top, top.text)


def versions(seen: list[Seen]) -> list[Version]:
    """Siblings as a user's function is shown them, oldest first."""
    return [
        Version(
            one.value, to_datetime(millis(one.body.ts)), one.body.writer, one.body.agent,
            one.body.replica,
        )
        for one in sorted(seen, key=lambda one: (one.sibling.order, one.body.dot))
    ]  # fmt: skip


def of_kind(seen: list[Seen], fixed: RowKind | None) -> list[Seen]:
    """Those of the kind that counts: the policy's, else values before the parts of a counter."""
    if len(seen) == 1 and fixed is None:
        return seen
    if fixed is not None:
        return [one for one in seen if one.body.type == fixed]
    return [one for one in seen if one.body.type != RowKind.COUNTER] or seen
