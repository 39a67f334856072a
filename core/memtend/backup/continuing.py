"""Where the next backup goes in a repository: its number, its parent, and what it may build on."""

from __future__ import annotations

from collections.abc import Sequence

from memtend.backup.layers import Chain, Manifests, find_chain
from memtend.backup.manifest import ManifestName
from memtend.backup.repository import Repository, object_name
from memtend.errors import ManifestDamaged, ObjectMissing


def successor(
    names: Sequence[ManifestName], head: str | None
) -> tuple[str | None, int, tuple[str, ...]]:
    """Parent and number of the next manifest, and what is to be said about them.

    `head` is the newest that the store knows; where it is missing it stays the parent.
    """
    newest = names[-1] if names else None
    known = ManifestName.parse(head) if head else None
    parent, notes = newest, tuple[str, ...]()
    if known is not None and known not in names:
        notes = (f"{known}, the newest backup that the store knows, is not in the repository",)
        parent = max(known, newest) if newest else known
    return (str(parent), parent.number + 1, notes) if parent else (None, 1, notes)


def chain_to_continue(
    repository: Repository,
    names: Sequence[ManifestName],
    head: str | None,
    store_id: str,
    manifests: Manifests,
) -> tuple[Chain, str]:
    """The newest whole backup of this store with all it builds on, and what kept a newer one out.

    It is verified quickly: its manifests are read, and every object is there in its full length.
    Tried are the newest in the repository, and the newest that the store knows: others may write
    there too.
    """
    known = ManifestName.parse(head) if head else None
    candidates = [names[-1], *(known,) * (known in names and known != names[-1])]
    why = ""
    for name in filter(None, candidates):
        try:
            chain = find_chain(repository, name, manifests)
        except (ManifestDamaged, ObjectMissing) as error:
            why = why or f"the newest backup cannot be built on: {error}"
            continue
        if chain[-1][1].store.store_id != store_id:
            continue
        lost = next((str(one) for one, _ in chain if one not in names), None)
        missing = f"{lost} is missing" if lost else first_missing(repository, chain)
        if missing is None:
            return chain, why
        why = why or f"the newest backup is not whole: {missing}"
    return (), why or "the newest backup is of another store"


def first_missing(repository: Repository, chain: Chain) -> str | None:
    """The first object of a chain that is not there in its full length, and what is wrong."""
    sizes = {info.name: info.size for info in repository.store.list("objects/")}
    for _, manifest in chain:
        for ref in manifest.segments:
            name = object_name(ref.object)
            if name not in sizes:
                return f"object {name} is missing"
            if sizes[name] != ref.stored_bytes:
                return f"object {name} has {sizes[name]:,} bytes instead of {ref.stored_bytes:,}"
    return None
