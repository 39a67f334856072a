"""Verifying a repository: is every backup in it whole?

Quick reads the manifests and compares the chain, and the presence and length of every object.
Deep also reads every object once, whatever number of backups share it, and checks its hash, its
decryption, its decompression, the order and the hash of every row, the counts, the root of every
full backup, and the state sum of every member of the newest chain of each store.

Deep verification can be cut into pieces: a sample, or as much as time allows, going on in the next
run where this one ended. A piece proves the objects that it read; roots and sums are compared in a
run that reads all.

Damage is returned as findings and never raised; an error means that the target could not be read,
or that the key to it is missing. An object that no manifest names is garbage: what a crash or a
running backup leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from math import ceil

from memtend.backup.annex import check_keys, check_pins, read_dropped
from memtend.backup.chain import Chain, read_chain
from memtend.backup.contents import Contents, check_contents
from memtend.backup.findings import Findings
from memtend.backup.identity import IDENTITY, Identity
from memtend.backup.layers import CheckRow
from memtend.backup.lineage import all_objects, chain_of
from memtend.backup.progress import Progress, load_progress, save_progress
from memtend.backup.report import FindingKind, VerifyReport
from memtend.backup.repository import Repository, object_name
from memtend.backup.sums import check_sums
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
    sample: float | None = None,
    max_seconds: float | None = None,
    resume: bool = False,
) -> VerifyReport:
    """Look at everything in the repository, or with `deep` at a part of its contents.

    `head` is the newest manifest according to the store's catalog: without it, the loss of the
    newest manifests cannot be noticed. `sample` is the share of the objects to read, 0..1, drawn
    anew each time; after `max_seconds` no further object is read; `resume` goes on where the last
    such run ended. `NoBackup` if the target is empty and `head` does not say that it should not be.
    """
    started_ms, started_ns = clock.now_ms(), clock.monotonic_ns()
    findings = Findings()
    # Manifests before objects: what a manifest names was there before the manifest was.
    manifest_names = [info.name for info in store.list("manifests/")]
    if not manifest_names and head is None:
        raise NoBackup(url=store.url)
    repository, repo_id = _open(store, key, findings)
    dropped = read_dropped(store, repo_id, findings)
    chain = read_chain(
        repository, manifest_names, repo_id=repo_id, head=head, dropped=dropped, findings=findings
    )
    check_pins(store, repo_id, chain, findings)
    check_keys(store, repository.identity.encryption, findings)
    sizes = {info.name: info.size for info in store.list("objects/")}
    wanted = all_objects(chain.values())
    _compare_sizes(wanted, sizes, findings)

    notes = list[str]()
    state, read = Progress(), Contents()
    if deep:
        in_pieces = resume or max_seconds is not None
        before = load_progress(store).going_on(set(wanted)) if resume else Progress()
        due = (set(wanted) - set(before.checked)) | set(before.bad)
        if sample is not None:
            due = _drawn(due, sample, clock.new_id()) | set(before.bad)
        until_ns = None if max_seconds is None else started_ns + round(max_seconds * 1e9)
        read = check_contents(
            repository, chain, check_row, findings, only=due,
            is_over=lambda: until_ns is not None and clock.monotonic_ns() >= until_ns,
        )  # fmt: skip
        if read.checked >= set(wanted):
            check_sums(repository, chain, check_row, findings)
        for digest in set(before.bad) - read.checked - findings.bad_objects:
            why = "an earlier run found it damaged"
            findings.add(FindingKind.OBJECT_DAMAGED, object_name(digest), why, object=digest)
        state = Progress(
            checked=before.checked | dict.fromkeys(read.checked, clock.now_ms()),
            bad=tuple(sorted(findings.bad_objects & set(wanted))),
        )
        if in_pieces and (trouble := save_progress(store, state)):
            notes.append(trouble)

    garbage = sizes.keys() - set(map(object_name, wanted))
    for name in sorted(garbage):
        findings.add(FindingKind.UNREFERENCED, name, "no backup names it", damage=False)
    newest = max(chain) if chain else None
    complete = deep and wanted.keys() <= state.checked.keys()
    oldest_ms = min(state.checked.values(), default=started_ms)
    return VerifyReport(
        url=store.url,
        deep=deep,
        manifests=len(manifest_names),
        newest=str(newest) if newest else None,
        root=chain[newest].root if newest else None,
        whole=_whole(chain, findings) if repo_id else (),
        objects=len(wanted),
        checked=len(read.checked),
        remaining=len(wanted.keys() - state.checked.keys()) if deep else 0,
        complete=complete,
        oldest_check_at=to_datetime(oldest_ms) if complete else None,
        rows=read.rows,
        read_bytes=read.read_bytes,
        damage_count=findings.damage_count,
        garbage_count=len(garbage),
        garbage_bytes=sum(sizes[name] for name in garbage),
        findings=tuple(findings.shown),
        started_at=to_datetime(started_ms),
        seconds=(clock.monotonic_ns() - started_ns) / 1e9,
        notes=tuple(notes),
    )


def _compare_sizes(wanted: Mapping[str, int], sizes: Mapping[str, int], findings: Findings) -> None:
    for digest, size in sorted(wanted.items()):
        name = object_name(digest)
        if name not in sizes:
            findings.add(FindingKind.OBJECT_MISSING, name, "a backup needs it", object=digest)
        elif sizes[name] != size:
            why = f"it has {sizes[name]:,} bytes instead of {size:,}"
            findings.add(FindingKind.OBJECT_DAMAGED, name, why, object=digest)


def _drawn(due: set[str], share: float, nonce: str) -> set[str]:
    """A share of the objects, at least one; which ones depends on the nonce alone."""
    by_lot = sorted(due, key=lambda digest: sha256(f"{nonce}{digest}".encode()).digest())
    return set(by_lot[: ceil(len(by_lot) * share)])


def _whole(chain: Chain, findings: Findings) -> tuple[str, ...]:
    """Backups that are whole together with everything that they build on."""
    whole = {name for name, one in chain.items() if findings.is_whole(name, one)}
    return tuple(
        str(name)
        for name in chain
        if (found := chain_of(name, chain))[1] is None and whole.issuperset(found[0])
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
