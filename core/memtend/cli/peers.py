"""`peers list|show|add|allow|forget`: who this store syncs with, and what each may send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store
from memtend.cli.sync import PANEL

if TYPE_CHECKING:
    from memtend.sync.report import PeerEntry

Peer = Annotated[
    str,
    typer.Argument(
        metavar="PEER",
        help="Its name, its address, or the beginning of its id.",
        show_default=False,
    ),
]
_ID_SHOWN = 8


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Say who this store syncs with.")
    for command in (list_, show_, add_, allow, forget):
        add(group, command)
    app.add_typer(group, name="peers", rich_help_panel=PANEL)


def list_(store: Store = None, json: Json = False) -> None:
    """List the peers: stores, places, and the replicas that were met in places.

    BACKLOG counts our events that a peer has not acknowledged yet.
    """
    with open_operator(store) as services:
        found = services.peers()
    if json:
        show.emit_model(found)
        return
    if not found.peers:
        show.say("no peers; `memtend sync PEER` meets one, `memtend peers add` names one")
        return
    heads = ("name", "kind", "id", "where", "met", "backlog", "may send")
    show.table(heads, [_row(one) for one in found.peers], right=(5,))
    show.say(f"this replica is {found.replica}")


def show_(peer: Peer, store: Store = None, json: Json = False) -> None:
    """Show one peer with all that it is known to have seen."""
    with open_operator(store) as services:
        one = services.peer(peer)
    if json:
        show.emit_model(one)
        return
    show.facts(
        (
            ("name", one.name),
            ("kind", one.kind.value),
            ("id", one.id),
            ("where", one.url),
            ("met", show.moment(one.met_at) or "never"),
            ("heard up to", show.moment(one.heard_at)),
            ("retired", show.moment(one.retired_at)),
            ("backlog", f"{one.backlog:,} events"),
            ("may send", _may_send(one)),
        )
    )
    if one.seen:
        rows = [(replica, f"{n:,}") for replica, n in sorted(one.seen.items())]
        show.table(("of replica", "has seen up to"), rows, right=(1,))


def add_(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Such as laptop or team.", show_default=False)
    ],
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="A store or a place, without a password: that belongs in the environment.",
            show_default=False,
        ),
    ],
    store: Store = None,
    json: Json = False,
) -> None:
    """Give a store or a place a name. Nothing is sent yet."""
    with open_operator(store) as services:
        one = services.add_peer(name, url)
    if json:
        show.emit_model(one)
    else:
        show.done(f"{one.name} is the {one.kind.value} {one.url}; `memtend sync {one.name}`")


def allow(
    peer: Peer,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATTERN…", help="Namespaces such as team/**; none: all.", show_default=False
        ),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Let a peer send these namespaces only.

    A delta with anything else is refused as a whole. Of a place it holds for everybody who is met
    there and has no patterns of its own.
    """
    with open_operator(store) as services:
        one = services.allow_peer(peer, patterns or ())
    if json:
        show.emit_model(one)
    else:
        show.done(f"{one.name or one.id} may send {_may_send(one)}")


def forget(peer: Peer, store: Store = None, json: Json = False) -> None:
    """Forget a peer, and with a place whom one met there.

    The log is no longer kept for it. It loses nothing: when it comes again, it gets everything.
    """
    with open_operator(store) as services:
        one = services.forget_peer(peer)
    if json:
        show.emit_model(one)
    else:
        show.done(f"{one.name or one.id} is forgotten")


def _row(one: PeerEntry) -> tuple[str, ...]:
    met = "retired" if one.retired_at else show.moment(one.met_at) or "never"
    return (
        show.clean(one.name), one.kind.value, one.id[:_ID_SHOWN], show.clean(one.url), met,
        f"{one.backlog:,}", _may_send(one),
    )  # fmt: skip


def _may_send(one: PeerEntry) -> str:
    return ", ".join(one.accept) or "everything"
