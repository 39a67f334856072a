"""`learn`: what outcomes and accesses teach."""

from __future__ import annotations

import typer

from memtend.cli import learn_ttl

learn = typer.Typer(
    help="What outcomes and accesses teach: which strategy works, and how long to keep what.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    learn_ttl.register(learn)
    app.add_typer(learn, name="learn", rich_help_panel="Upkeep")
