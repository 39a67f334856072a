"""`audit show|verify`: who changed what, and proof that nobody changed the list."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store
from memtend.limits import SCAN_MAX

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (show_, verify):
        add(audit, command)
    app.add_typer(audit, name="audit", rich_help_panel="Access")


def show_(
    last: Annotated[
        int,
        typer.Option("--last", metavar="N", min=1, max=SCAN_MAX, help="How many."),
    ] = 20,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="N", min=0, help="Those after this number."),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """The newest entries, oldest of them first."""
    from memtend.clock import to_datetime  # noqa: PLC0415
    from memtend.store.audit import entries  # noqa: PLC0415

    with open_operator(store) as services, services.store.engine.snapshot() as reader:
        start = max(services.store.meta().audit_n - last, 0) if after is None else after
        found = [entry for entry, _ in islice(entries(reader, start), last)]
    if json:
        show.emit(
            [
                {"n": e.n, "at": to_datetime(e.at_ms), "actor": e.actor, "action": e.action,
                 "detail": e.detail}
                for e in found
            ]
        )  # fmt: skip
        return
    rows = [
        (f"{e.n}", show.moment(to_datetime(e.at_ms)), e.actor, e.action, show.clean(e.detail))
        for e in found
    ]
    show.table(("n", "when", "who", "did", "to what"), rows, right=(0,))


def verify(store: Store = None, json: Json = False) -> None:
    """Recompute the chain from its first entry to its head.

    The status is 70 when it is broken.
    """
    from memtend.store.audit import check_chain  # noqa: PLC0415

    with open_operator(store) as services, show.waiting("following the chain"):
        held = services.store
        with held.engine.snapshot() as reader:
            state = held.state(reader)
            count = check_chain(reader, held.key, state.audit_head, state.audit_n)
    if json:
        show.emit({"entries": count, "head": state.audit_head.hex(), "whole": True})
    else:
        show.done(f"{count:,} entries, unbroken; the head is {state.audit_head.hex()}")
