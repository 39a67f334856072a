"""`learn`: what outcomes and accesses teach."""

from __future__ import annotations

import typer

from memtend.cli import learn_ask, learn_models, learn_record, learn_ttl
from memtend.cli.adding import add

learn = typer.Typer(
    help="What outcomes and accesses teach: which strategy works, and how long to keep what.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    for command in (
        learn_record.record, learn_models.fit, learn_ask.recommend, learn_models.evaluate,
        learn_ask.insights, learn_ask.scenarios, learn_models.models, learn_models.promote,
        learn_models.rollback,
    ):  # fmt: skip
        add(learn, command)
    learn_ttl.register(learn)
    app.add_typer(learn, name="learn", rich_help_panel="Upkeep")
