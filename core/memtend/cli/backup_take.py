"""`backup take|list|rekey`: backups into any target, read back before they count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target
from memtend.errors import MemtendError, NoBackup, StoreDamaged, StoreMissing
from memtend.limits import BACKUPS_LISTED_MAX

if TYPE_CHECKING:
    from memtend.backup.report import BackupEntry, BackupList, BackupReport

Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept in the backup's manifest.")]
_SHORT = 20


def register(backup: typer.Typer) -> None:
    add(backup, take)
    add(backup, list_)
    add(backup, rekey)


def take(
    target: Target = None,
    why: Why = "",
    full: Annotated[
        bool, typer.Option("--full", help="Read everything, also where an increment would do.")
    ] = False,
    root: Annotated[
        bool, typer.Option("--root", help="Compute the root hash of an increment too.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Take a backup: what changed since the newest one, else everything.

    Writers go on meanwhile; what is in the target already is not written again. With
    MEMTEND_BACKUP_KEY or MEMTEND_BACKUP_KEY_FILE set, a new target is encrypted.
    """
    from memtend.backup.writing import Progress  # noqa: PLC0415

    progress = Progress()
    with open_operator(store) as services:
        total = services.facts().records
        with show.counting("backing up", total, lambda: progress.rows):
            report = services.take_backup(target, why, full=full, root=root, progress=progress)
    if json:
        show.emit_model(report)
    else:
        tell(report)


def tell(report: BackupReport) -> None:
    """What a person wants to know of a backup just taken."""
    builds = f", on {report.depth} earlier" if report.base else ""
    show.facts(
        (
            ("backup", report.manifest),
            ("kind", f"{report.kind}{builds}"),
            ("in", report.url + (", encrypted" if report.encrypted else "")),
            ("records", f"{report.records:,}, of which {report.rows:,} in this backup"),
            ("ended", f"{report.log_rows:,}" if report.base else ""),
            ("size", show.size(report.stored_bytes)),
            ("written", show.size(report.written_bytes)),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        show.note(text)
    if report.damaged_rows:
        show.note(f"{report.damaged_rows:,} damaged records were left out; run `memtend verify`")


def list_(
    target: Target = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=1, max=10_000, help="The newest so many."),
    ] = BACKUPS_LISTED_MAX,
    store: Store = None,
    json: Json = False,
) -> None:
    """List the backups in the target, newest first.

    An increment needs the one it builds on. A backup is verified when `backup verify` has read
    all of it. The store itself may be gone: its backups are listed all the same.
    """
    try:
        with open_operator(store) as services:
            found = services.backups(target, limit)
    except (StoreMissing, StoreDamaged) as error:
        found = _without_store(target, limit, error)
    if json:
        show.emit_model(found)
        return
    heads = ("no", "kind", "time", "records", "size", "written", "builds on", "pins", "verified")
    numbers = {one.manifest: f"{one.number:,}" for one in found.backups}
    rows = [_row(one, numbers) for one in found.backups]
    show.table(heads, rows, right=(0, 3, 4, 5, 6))
    if found.total > len(found.backups):
        show.say(f"{found.total:,} in all; --limit shows more")
    for name in found.damaged:
        show.note(f"{name} cannot be read; run `memtend backup verify`")


def _without_store(target: str | None, limit: int, error: MemtendError) -> BackupList:
    """What the target tells alone. Raises `error` where there are no backups either."""
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.codec.crypto import UserKey  # noqa: PLC0415
    from memtend.objects import open_target  # noqa: PLC0415
    from memtend.serving.backups import list_in  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    settings = Settings()
    place = open_target(target or settings.backup_url, SystemClock())
    try:
        found = list_in(place, UserKey.of(settings.backup_secret()), limit, {})
    except NoBackup:
        raise error from None
    show.note(f"{error}; what was verified is not known without it")
    return found


def _row(one: BackupEntry, numbers: dict[str, str]) -> tuple[str, ...]:
    base = "" if one.base is None else numbers.get(one.base, one.base.partition("-")[0][-_SHORT:])
    return (
        f"{one.number:,}",
        one.kind,
        show.moment(one.at),
        f"{one.records:,}",
        show.size(one.stored_bytes),
        show.size(one.written_bytes),
        base.lstrip("0") or base,
        " ".join(one.pins),
        show.moment(one.verified_at) or "no",
    )


def rekey(
    target: Target = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Change the key of encrypted backups. Nothing that is stored is written again.

    The old key comes from MEMTEND_BACKUP_KEY or MEMTEND_BACKUP_KEY_FILE, the new one from
    MEMTEND_BACKUP_NEW_KEY or MEMTEND_BACKUP_NEW_KEY_FILE: 64 hex digits, or a passphrase.
    """
    with open_operator(store) as services:
        gone = services.rekey_backups(target)
    if json:
        show.emit({"operation": "rekey", "keys_removed": gone})
    else:
        show.done("the new key opens the backups, and the old one no longer does")
