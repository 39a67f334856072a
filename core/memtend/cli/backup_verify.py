"""`backup verify`: every backup against its hashes, at once or in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target
from memtend.errors import NotWhole

if TYPE_CHECKING:
    from memtend.backup.report import VerifyReport


def register(app: typer.Typer) -> None:
    add(app, verify)


def verify(
    target: Target = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Names and sizes only; contents are not read.")
    ] = False,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="SHARE", help="Read only this share, such as 5%."),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", metavar="N", min=0.001, help="Read for at most this long."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last limited run ended.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Check every backup in the target against its hashes and the store's catalog.

    The status is 83 when something is damaged; what a backup left that was cut off is no damage.

    With --max-seconds and --resume a large target is verified in pieces, one run after the other;
    the run that finishes says when the first piece was checked.
    """
    share = share_of(sample) if sample is not None else None
    if quick and (share is not None or max_seconds is not None or resume):
        raise typer.BadParameter("--quick reads no contents; leave it out to read a part of them")
    with open_operator(store) as services, show.waiting("verifying the backups"):
        found = services.verify_backup(
            target, deep=not quick, sample=share, max_seconds=max_seconds, resume=resume
        )
    if json:
        show.emit_model(found)
    else:
        _show(found)
    if not found.ok:
        raise NotWhole(what=found.url, damage=found.damage_count)


def share_of(text: str) -> float:
    """`5%` or `0.05` as a share; above 0, at most 1."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise typer.BadParameter(f"{text[:64]!r} is not a share such as 5%", param_hint="--sample")
    return share


def _show(found: VerifyReport) -> None:
    if damage := [finding for finding in found.findings if finding.damage]:
        rows = [(f.kind.value, show.clean(f.name), show.clean(f.why)) for f in damage]
        show.table(("damage", "object", "why"), rows[: show.ROWS_SHOWN])
    part = "" if found.complete else f" of {found.objects:,} objects"
    show.facts(
        (
            ("backups", f"{found.manifests:,}, {len(found.whole):,} whole"),
            ("newest", found.newest or "none"),
            ("records", f"{found.rows:,} read back" if found.deep else "not read (--quick)"),
            ("checked", f"{found.checked:,}{part}" if found.deep and part else ""),
            ("left", f"{found.remaining:,} (--resume goes on)" if found.remaining else ""),
            ("oldest check", show.moment(found.oldest_check_at)),
            ("leftovers", f"{found.garbage_count:,}" if found.garbage_count else ""),
            ("took", f"{found.seconds:.1f} s"),
        )
    )
    for text in found.notes:
        show.note(show.clean(text))
