"""Findings while they are collected: which objects and manifests they make unusable."""

from __future__ import annotations

from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.report import Finding, FindingKind
from memtend.limits import FINDINGS_MAX


class Findings:
    """Damage is kept first when there is more than can be shown."""

    def __init__(self) -> None:
        self._damage: list[Finding] = []
        self._other: list[Finding] = []
        self._objects: set[str] = set()
        self._manifests: set[ManifestName] = set()
        self.damage_count = 0

    def add(
        self,
        kind: FindingKind,
        name: str,
        why: str,
        *,
        damage: bool = True,
        object: str | None = None,
        manifest: ManifestName | None = None,
    ) -> None:
        """Note one finding; `object` and `manifest` say what cannot be used because of it."""
        self.damage_count += damage
        kept = self._damage if damage else self._other
        if len(kept) < FINDINGS_MAX:
            kept.append(Finding(kind=kind, name=name, why=why, damage=damage))
        if object is not None:
            self._objects.add(object)
        if manifest is not None:
            self._manifests.add(manifest)

    @property
    def shown(self) -> list[Finding]:
        return (self._damage + self._other)[:FINDINGS_MAX]

    def is_bad_object(self, digest: str) -> bool:
        return digest in self._objects

    @property
    def bad_objects(self) -> frozenset[str]:
        return frozenset(self._objects)

    def is_whole(self, name: ManifestName, manifest: Manifest) -> bool:
        return name not in self._manifests and self._objects.isdisjoint(
            ref.object for ref in manifest.segments
        )
