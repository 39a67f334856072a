"""`lease list|release`: who holds what, who waits, and taking a resource away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from memtend.model.lease import Held

_HEADS = ("resource", "mode", "holder", "token", "left", "waiting")
lease = typer.Typer(help="Leases: who holds which resource, and who waits.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (list_, release):
        add(lease, command)
    app.add_typer(lease, name="lease", rich_help_panel="Access")


def list_(store: Store = None, json: Json = False) -> None:
    """List what is held or waited for now.

    The token is what guarded writes carry; it only ever grows.
    """
    from memtend.store.lease_desk import held  # noqa: PLC0415

    with open_operator(store) as services:
        found = held(services.store)
    if json:
        show.emit([one.model_dump(mode="json") for one in found])
    elif found:
        show.table(_HEADS, [row for one in found for row in _rows(one)], right=(4,))
    else:
        show.say("nobody holds or waits for a lease")


def release(
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="As listed.", show_default=False)
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Take it away. Without it, only the holder is shown.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Take a resource away from whoever holds it.

    The holder is not asked. Whatever it still writes under its lease is refused, for the token has
    grown; what it does elsewhere nobody stops. The audit trail keeps who did it.
    """
    from memtend.store.lease_desk import force_release, held  # noqa: PLC0415

    with open_operator(store) as services:
        found = [one for one in held(services.store) if one.resource == resource and one.leases]
        ended = 0
        if force and found:
            ended = force_release(services.store, resource, services.memory.agent or "owner")
    if json:
        show.emit({"resource": resource, "held": bool(found), "released": ended})
        return
    if not found:
        show.say(f"nobody holds {resource}")
    elif force:
        show.done(f"{resource} taken away from {', '.join(one.holder for one in found[0].leases)}")
    else:
        show.table(_HEADS, _rows(found[0]), right=(4,))
        show.note("nothing was changed: --force takes it away")


def _rows(held: Held) -> list[tuple[str, ...]]:
    waiting = ", ".join(f"{one.holder} ({one.mode})" for one in held.waiting)
    rows: list[tuple[str, ...]] = [
        (
            held.resource,
            one.mode.value,
            one.holder,
            str(one.fence),
            f"{(one.expires_at - held.at).total_seconds():,.1f} s",
            waiting,
        )
        for one in held.leases
    ]
    return rows or [(held.resource, "", "nobody", str(held.token), "", waiting)]
