"""`health`: the score of a store, what is wrong with it, and what could be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.errors import Unhealthy
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Judged, Store
from memtend.cli.state import PANEL

if TYPE_CHECKING:
    from memtend.health.report import HealthReport, Opportunity

Full = Annotated[
    bool,
    typer.Option(
        "--full",
        help="Read every row, not only the next few, and the files of models in use, and let the "
        "database check itself. Cut off, it goes on where it was when it is called again.",
    ),
]


def register(app: typer.Typer) -> None:
    add(app, health, panel=PANEL)


def health(
    target: Judged = None, full: Full = False, store: Store = None, json: Json = False
) -> None:
    """Judge the store by its figures: a score of 100, less what each complaint takes off.

    With a target, its backups too. The usual look costs the same at any size: of the rows it reads
    a few, each time the next ones. Below stands what could be saved, and the command that does it.

    The status is 71 when something is critical, so that a scheduler notices.
    """
    from memtend.store.sampling import remembered  # noqa: PLC0415

    with open_operator(store) as services:
        url, held = services.store.url, services.store
        if full:
            total = services.facts().records
            with show.counting("reading rows", total, lambda: remembered(held).rows):
                found = services.health(target, full=True)
        else:
            found = services.health(target)
    if json:
        show.emit_model(found)
    else:
        _print(found)
    if found.level == "critical":
        bad = ", ".join(check.name for check in found.checks if check.level == "critical")
        raise Unhealthy(store=url, checks=bad)


def _saved(one: Opportunity) -> str:
    if one.saves_bytes is not None:
        return show.size(one.saves_bytes)
    return "" if one.saves_ms is None else f"{one.saves_ms / 1_000:,.1f} s a day"


def _print(found: HealthReport) -> None:
    rows = [
        (show.level(c.level), c.name, f"-{c.penalty}" if c.penalty else "", show.clean(c.fact),
         c.hint)
        for c in found.checks
    ]  # fmt: skip
    show.table(("level", "check", "points", "fact", "what to do"), rows, right=(2,))
    if found.opportunities:
        savings = [(one.name, _saved(one), one.fact, one.command) for one in found.opportunities]
        show.table(("could be saved", "about", "fact", "command"), savings, right=(1,))
    show.facts((("score", f"{found.score} of 100"),))
