"""Verifying a repository: is every backup in it whole?

Quick reads the manifests and compares the chain, and the presence and length of every object.
Deep also reads every object once, whatever number of backups share it, and checks its hash, its
decompression, the order and the hash of every row, the counts and the root.

Damage is returned as findings and never raised; an error means that the target could not be read.
An object that no manifest names is garbage: what a crash or a running backup leaves.
"""

from __future__ import annotations

from memtend.backup.chain import read_chain
from memtend.backup.contents import check_contents
from memtend.backup.findings import Findings
from memtend.backup.identity import IDENTITY, Identity
from memtend.backup.report import FindingKind, VerifyReport
from memtend.backup.repository import Repository, object_name
from memtend.backup.take import CheckRow
from memtend.clock import Clock, to_datetime
from memtend.codec.crypto import UserKey
from memtend.errors import NoBackup, RepositoryForeign
from memtend.objects import ObjectStore


def verify_repository(
    store: ObjectStore,
    clock: Clock,
    *,
    check_row: CheckRow,
    deep: bool = False,
    key: UserKey | None = None,
    head: str | None = None,
    dropped: frozenset[str] = frozenset(),
) -> VerifyReport:
    """Look at everything in the repository.

    `head` is the newest manifest according to the store's catalog: without it, the loss of the
    newest manifests cannot be noticed. `dropped` are manifests that rotation took out.
    `NoBackup` if the target is empty and `head` does not say that it should not be.
    """
    started_ms, started_ns = clock.now_ms(), clock.monotonic_ns()
    findings = Findings()
    # Manifests before objects: what a manifest names was there before the manifest was.
    manifest_names = [info.name for info in store.list("manifests/")]
    if not manifest_names and head is None:
        raise NoBackup(url=store.url)
    repository, repo_id = _open(store, key, findings)
    chain = read_chain(
        repository, manifest_names, repo_id=repo_id, head=head, dropped=dropped, findings=findings
    )
    sizes = {info.name: info.size for info in store.list("objects/")}

    wanted = {ref.object: ref.stored_bytes for one in chain.values() for ref in one.segments}
    for digest, size in sorted(wanted.items()):
        name = object_name(digest)
        if name not in sizes:
            findings.add(FindingKind.OBJECT_MISSING, name, "a backup needs it", object=digest)
        elif sizes[name] != size:
            why = f"it has {sizes[name]:,} bytes instead of {size:,}"
            findings.add(FindingKind.OBJECT_DAMAGED, name, why, object=digest)
    rows = read_bytes = 0
    if deep:
        rows, read_bytes = check_contents(repository, chain, check_row, findings)

    referenced = set(map(object_name, wanted))
    garbage = {name: size for name, size in sizes.items() if name not in referenced}
    for name in garbage:
        findings.add(FindingKind.UNREFERENCED, name, "no backup names it", damage=False)
    whole = tuple(str(name) for name, one in chain.items() if findings.is_whole(name, one))
    newest = max(chain) if chain else None
    return VerifyReport(
        url=store.url,
        deep=deep,
        manifests=len(manifest_names),
        newest=str(newest) if newest else None,
        root=chain[newest].root if newest else None,
        whole=whole,
        objects=len(wanted),
        rows=rows,
        read_bytes=read_bytes,
        damage_count=findings.damage_count,
        garbage_count=len(garbage),
        garbage_bytes=sum(garbage.values()),
        findings=tuple(findings.shown),
        started_at=to_datetime(started_ms),
        seconds=(clock.monotonic_ns() - started_ns) / 1e9,
    )


def _open(
    store: ObjectStore, key: UserKey | None, findings: Findings
) -> tuple[Repository, str | None]:
    """The repository and its id. Without an identity that can be believed, it has none."""
    try:
        repository = Repository.open(store, key)
    except RepositoryForeign as error:
        findings.add(FindingKind.REPOSITORY, IDENTITY, str(error.facts["why"]))
        return Repository(store, Identity(repo_id="0" * 32), None), None
    return repository, repository.identity.repo_id
