"""What one backup needs of a repository: the backups it builds on, and their objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.repository import object_name


def all_objects(manifests: Iterable[Manifest]) -> dict[str, int]:
    """Digest and stored length of every object that these name."""
    return {ref.object: ref.stored_bytes for one in manifests for ref in one.segments}


def chain_of(
    name: ManifestName, manifests: Mapping[ManifestName, Manifest]
) -> tuple[list[ManifestName], str | None]:
    """What `name` builds on, it itself last, and the first thing missing on the way, if any."""
    chain = [name]
    while (base := manifests[chain[-1]].base) is not None:
        parsed = ManifestName.parse(base)
        # A base has a smaller number, else a forged manifest could lead around in a circle.
        if parsed is None or parsed not in manifests or parsed.number >= chain[-1].number:
            return chain[::-1], base
        chain.append(parsed)
    return chain[::-1], None


def why_not_whole(
    name: ManifestName, manifests: Mapping[ManifestName, Manifest], sizes: Mapping[str, int]
) -> str | None:
    """What a listing of the target shows to be missing or of the wrong length for this backup."""
    chain, missing = chain_of(name, manifests)
    if missing is not None:
        return f"{missing} is missing, and {name} builds on it"
    for digest, size in all_objects(manifests[one] for one in chain).items():
        found = sizes.get(object_name(digest))
        if found != size:
            has = "is missing" if found is None else f"has {found:,} bytes instead of {size:,}"
            return f"object {digest} {has}, and {name} needs it"
    return None
