"""`backup inspect|diff`: what is in a backup, without restoring it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Limit, Store, Target

if TYPE_CHECKING:
    from memtend.backup.inspect import BackupView
    from memtend.services import Services

NEWEST = "newest"


def register(app: typer.Typer) -> None:
    for command in (inspect, diff):
        add(app, command)


def inspect(
    manifest: Annotated[
        str, typer.Argument(metavar="BACKUP", help="Its number or name; `newest` if none.")
    ] = NEWEST,
    namespace: Annotated[
        str | None, typer.Argument(metavar="NAMESPACE", help="Lists its records.")
    ] = None,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="Prints its value as JSON.")
    ] = None,
    target: Target = None,
    limit: Limit = 1_000,
    store: Store = None,
    json: Json = False,
) -> None:
    """Look into a backup without restoring it.

    Alone it says what the backup is; with NAMESPACE which records it holds of it; with KEY it
    prints the value as JSON, as `memtend get` does. A value with several versions side by side, and
    one with --json, comes as a list of all versions with everything known about them.
    """
    from memtend.backup.inspect import as_one  # noqa: PLC0415

    wanted = None if manifest == NEWEST else manifest
    with open_operator(store) as services:
        if namespace is None:
            found = services.inspect_backup(wanted, target)
            show.emit_model(found) if json else _show(found)
        elif key is None:
            _keys(services, wanted, namespace, target, limit, json=json)
        else:
            versions = services.inspect_record(wanted, namespace, key, target)
            is_one, value = as_one(versions)
            show.emit(value if is_one and not json else versions)


def diff(
    before: Annotated[
        str, typer.Argument(metavar="BACKUP", help="Its number or name.", show_default=False)
    ],
    after: Annotated[
        str, typer.Argument(metavar="OTHER", help="Another backup, or the store as it is.")
    ] = "live",
    target: Target = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Show what changed between two backups, or since a backup."""
    with open_operator(store) as services, show.waiting("comparing"):
        found = services.diff_backups(before, after, target)
    if json:
        show.emit_model(found)
        return
    if found.namespaces:
        rows = [
            (name, f"{one.added:,}", f"{one.changed:,}", f"{one.removed:,}")
            for name, one in sorted(found.namespaces.items())[: show.ROWS_SHOWN]
        ]
        show.table(("namespace", "added", "changed", "removed"), rows, right=(1, 2, 3))
        named = [
            (one.what, f"{one.namespace}/{one.key}") for one in found.records[: show.ROWS_SHOWN]
        ]
        show.table(("what", "record"), named)
    changes = found.added + found.changed + found.removed
    if changes > show.ROWS_SHOWN:
        show.say(f"and {changes - show.ROWS_SHOWN:,} more records; --json lists up to 10,000")
    show.say(
        f"{found.added:,} added, {found.changed:,} changed, {found.removed:,} removed, "
        f"{found.unchanged:,} unchanged"
    )


def _keys(
    services: Services,
    manifest: str | None,
    namespace: str,
    target: str | None,
    limit: int,
    *,
    json: bool,
) -> None:
    found = services.inspect_keys(manifest, namespace, target, limit)
    if json:
        show.emit(found)
        return
    rows = [
        (one.key, one.kind, show.size(one.size_bytes), show.moment(one.written_at),
         show.moment(one.expires_at) or "never", str(one.versions))
        for one in found
    ]  # fmt: skip
    heads = ("key", "kind", "size", "written", "expires", "versions")
    show.table(heads, rows, right=(2, 5))
    if len(found) == limit:
        show.say(f"the first {limit:,}; --limit shows more")


def _show(found: BackupView) -> None:
    from memtend.backup.noted import parted  # noqa: PLC0415

    why, run = parted(found.why)
    chain = len(found.chain) - 1
    show.facts(
        (
            ("backup", found.manifest),
            ("kind", found.kind + (f", builds on {chain:,} others" if chain else "")),
            ("taken", show.moment(found.at)),
            ("by", found.who),
            ("why", why),
            ("run", run),
            ("store", f"{found.store_id} {found.label}".strip()),
            ("records", f"{found.records:,}, {show.size(found.record_bytes)}"),
            ("wrote", f"{found.rows:,} records, {found.log_rows:,} deletions"),
            ("size", show.size(found.stored_bytes)),
            ("left out", f"{found.damaged_rows:,} damaged" if found.damaged_rows else ""),
            ("root", found.root or ""),
            ("state sum", found.state_sum),
            ("program", found.program),
        )
    )
    if found.counts:
        largest = sorted(found.counts.items(), key=lambda item: -item[1].bytes)
        rows = [(name, f"{one.rows:,}", show.size(one.bytes)) for name, one in largest]
        show.table(("namespace", "records", "size"), rows[: show.ROWS_SHOWN], right=(1, 2))
