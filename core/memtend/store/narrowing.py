"""What one agent has, found by an index that is believed only as far as it can be checked.

A search must not overlook a record because of one flipped bit in an index. The total of an agent
says how many rows it has, and is kept in another table by the same transactions: the index has to
have as many entries, every entry has to lead to a row with its own name, and the namespaces that a
search passes over are looked at from both ends. Where the numbers differ, every record is looked
at as if there were no index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from memtend.codec.compress import Damaged
from memtend.codec.envelope import is_sound, path_of, prefix_of, unpack
from memtend.errors import StoreDamaged

if TYPE_CHECKING:
    from memtend.model.query import Query
    from memtend.store.engine import Row
    from memtend.store.store import Store

_PAGE: Final = 100
_EDGES_MAX: Final = 64
_TOTAL: Final = -1
_WHY: Final = "an index entry does not match its row, so a record may be hidden"


class Owned(NamedTuple):
    """A row of an agent, as `Reads.siblings` takes it; elements of sets and fields are left out."""

    namespace: str
    key: str
    row: Row


def namespaces_of(
    store: Store, agent: str, within: Callable[[str], bool]
) -> list[tuple[str, int]] | None:
    """The namespaces `within` which an agent has something, in order of their path, with their ids.

    None where the index cannot be relied on. The paths must have been loaded.
    """
    rows = store.engine.read("agent_places", (agent, agent))
    total = sum(count for number, count in rows if number == _TOTAL)
    counts = [row for row in rows if row[0] != _TOTAL]
    numbers, paths = {number for number, _ in counts}, store.namespaces.paths
    if sum(count for _, count in counts) != total or len(numbers) < len(counts):
        return None
    if not numbers <= paths.keys():
        return None
    wanted = sorted((paths[number], number) for number in numbers if within(paths[number]))
    passed = numbers - {number for _, number in wanted}
    if len(passed) > _EDGES_MAX:
        return None
    for number in passed:
        for edge in ("of_agent_first", "of_agent_last"):
            for entry in store.engine.read(edge, (agent, number)):
                _check(store, number, entry)
    return wanted


def owned(store: Store, agent: str, namespace: str, number: int) -> Iterator[Owned]:
    """The agent's rows in one namespace, in order of key. Raises `StoreDamaged`."""
    after: tuple[str, int] = ("", 0)
    while rows := store.engine.read("of_agent", (agent, number, *after, _PAGE)):
        for entry in rows:
            _check(store, number, entry)
            _, _, _, key, field, *row = entry
            if field == "":
                yield Owned(namespace, key, tuple(row))
        after = rows[-1][:2]


def may_fit(query: Query, one: Owned) -> bool:
    """Whether what a lone row says of itself, soundly, does not rule it out."""
    flags, exp, packed, value, digest = one.row
    prefix, path = prefix_of(one.namespace), path_of(one.key, "")
    if not is_sound(prefix, path, flags, exp, packed, value, digest):
        return True  # reading it will say what is wrong with it
    try:
        return query.fits_labels(unpack(packed))
    except Damaged:
        return True


def _check(store: Store, number: int, entry: Row) -> None:
    if (entry[0], number) != (entry[3], entry[2]):
        raise StoreDamaged(url=store.url, why=_WHY)
