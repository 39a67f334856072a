"""The `backup` commands: one file for each few of them, joined here."""

from __future__ import annotations

import typer

from memtend.cli import (
    backup_drill,
    backup_inspect,
    backup_rotate,
    backup_stream,
    backup_take,
    backup_verify,
    restore,
)


def register(app: typer.Typer) -> None:
    backup = typer.Typer(help="Backups.", no_args_is_help=True)
    for part in (backup_take, backup_stream, backup_verify, backup_rotate, backup_inspect):
        part.register(backup)
    backup_drill.register(backup)
    restore.register_backup(backup)
    app.add_typer(backup, name="backup", rich_help_panel="Upkeep")
