"""`grant`, `revoke`, `grants`, `quarantine`: who may do what, and taking one writer out."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

PANEL = "Access"
Who = Annotated[
    str, typer.Argument(metavar="AGENT", help="A name; * for all agents.", show_default=False)
]
Pattern = Annotated[
    str, typer.Argument(metavar="PATTERN", help="Such as swarm/** or **.", show_default=False)
]


class RightName(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


def register(app: typer.Typer) -> None:
    for command in (grant, revoke, grants, quarantine):
        add(app, command, panel=PANEL)


def grant(
    who: Who,
    pattern: Pattern,
    right: Annotated[
        RightName, typer.Argument(help="write includes read, admin includes both.")
    ] = RightName.READ,
    store: Store = None,
    json: Json = False,
) -> None:
    """Let an agent read, write or administer namespaces.

    Once there is any grant, agents may do only what some grant allows.
    """
    with open_operator(store) as services:
        memory = services.memory
        first = not memory.config.grants
        memory.config.grant(who, pattern, right.value, memory.agent or "owner")
    if json:
        show.emit({"agent": who, "pattern": pattern, "right": right.value})
        return
    show.done(f"{who} may {right.value} {pattern}")
    if first:
        show.note("this is the first grant: from now on agents may do only what grants allow")


def revoke(who: Who, pattern: Pattern, store: Store = None, json: Json = False) -> None:
    """Take a grant back.

    When no grant is left, every agent may do everything again.
    """
    with open_operator(store) as services:
        memory = services.memory
        had = len(memory.config.grants)
        memory.config.revoke(who, pattern, memory.agent or "owner")
        left = len(memory.config.grants)
    if json:
        show.emit({"agent": who, "pattern": pattern, "revoked": had - left, "left": left})
        return
    show.done(f"{had - left} grant taken back, {left} left")
    if had and not left:
        show.note("no grant is left: every agent may do everything")


def grants(store: Store = None, json: Json = False) -> None:
    """List who may do what."""
    with open_operator(store) as services:
        found = [
            {"agent": one.agent, "pattern": one.pattern.text, "right": one.right}
            for one in services.memory.config.grants
        ]
    if json:
        show.emit(found)
    elif found:
        rows = [(one["agent"], one["right"], one["pattern"]) for one in found]
        show.table(("agent", "may", "in"), rows)
    else:
        show.say("there are no grants: every agent may do everything")


def quarantine(
    writer: Annotated[
        str, typer.Option("--writer", metavar="NAME", help="Who wrote what shall go out of sight.")
    ],
    release: Annotated[
        bool, typer.Option("--release", help="Show it again, as unverified.")
    ] = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Take all that one writer wrote out of sight.

    At once, and nothing is deleted: no read, list or search shows it until it is released.
    Safe to repeat.
    """
    from memtend.model.record import Trust  # noqa: PLC0415
    from memtend.store.quarantine import mark_writer  # noqa: PLC0415

    trust = Trust.UNVERIFIED if release else Trust.QUARANTINED
    with open_operator(store) as services, show.waiting(f"marking what {writer} wrote"):
        actor = services.memory.agent or "owner"
        changed = mark_writer(services.store, writer, trust, actor=actor)
    if json:
        show.emit({"writer": writer, "trust": trust.value, "records": changed})
    else:
        say = "shown again" if release else "out of sight"
        show.done(f"{changed:,} records of {writer} are {say}")
