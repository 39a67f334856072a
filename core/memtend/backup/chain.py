"""The manifests of a repository: read, checked one by one, and looked through for gaps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from memtend.backup.findings import Findings
from memtend.backup.layers import follows
from memtend.backup.manifest import BackupKind, Manifest, ManifestName
from memtend.backup.report import FindingKind
from memtend.backup.repository import Repository
from memtend.errors import ManifestDamaged, ObjectMissing, TargetDenied

Chain = dict[ManifestName, Manifest]


def read_chain(
    repository: Repository,
    listed: Sequence[str],
    *,
    repo_id: str | None,
    head: str | None,
    dropped: frozenset[str],
    findings: Findings,
) -> Chain:
    """The manifests that can be read, by name, oldest first."""
    chain: Chain = {}
    for name in listed:
        parsed = ManifestName.parse(name)
        if parsed is None:
            why = "its name is none of a manifest"
            findings.add(FindingKind.MANIFEST_DAMAGED, name, why)
            continue
        manifest = _read(repository, parsed, findings)
        if manifest is None:
            continue
        if repo_id is not None and manifest.repo_id != repo_id:
            why = f"it belongs to repository {manifest.repo_id}"
            findings.add(FindingKind.MANIFEST_FOREIGN, name, why)
            continue
        chain[parsed] = manifest
    chain = dict(sorted(chain.items()))
    _find_gaps(chain, frozenset(listed) | dropped, head, findings)
    _find_broken(chain, findings)
    return chain


def _read(repository: Repository, name: ManifestName, findings: Findings) -> Manifest | None:
    try:
        return repository.get_manifest(name)
    except (ManifestDamaged, ObjectMissing, TargetDenied) as error:
        findings.add(FindingKind.MANIFEST_DAMAGED, str(name), str(error))
        return None


def _find_gaps(chain: Chain, known: frozenset[str], head: str | None, findings: Findings) -> None:
    needed = {one.parent: str(name) for name, one in chain.items() if one.parent is not None}
    for parent, child in needed.items():
        if parent not in known:
            findings.add(FindingKind.MANIFEST_MISSING, parent, f"{child} follows it")
    if head is not None and head not in known and head not in needed:
        why = "the store's catalog has it as the newest: the repository is older than it was"
        findings.add(FindingKind.MANIFEST_MISSING, head, why)
    for one, other in pairwise(chain):
        if one.number == other.number:
            why = f"another has number {one.number}: a backup outlived its lease; both are usable"
            findings.add(FindingKind.MANIFEST_FORK, str(other), why, damage=False)


def _find_broken(chain: Chain, findings: Findings) -> None:
    """Backups that do not fit what they build on. A dropped base is as bad as a lost one."""
    for name, manifest in chain.items():
        if (manifest.kind is BackupKind.INCREMENTAL) != (manifest.base is not None):
            why = f"it is {manifest.kind} and builds on {manifest.base}"
            findings.add(FindingKind.LINEAGE_WRONG, str(name), why, manifest=name)
        if manifest.base is None:
            continue
        base = ManifestName.parse(manifest.base)
        if base not in chain:
            why = f"{name} builds on it"
            findings.add(FindingKind.MANIFEST_MISSING, manifest.base, why, manifest=name)
        elif base is None or not follows(manifest, chain[base]):
            why = f"it does not continue {manifest.base}, on which it builds"
            findings.add(FindingKind.LINEAGE_WRONG, str(name), why, manifest=name)
