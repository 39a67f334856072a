"""`swarm list|show|decisions|knowledge`: what the agents of a swarm know and are at. Only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Json, Limit, Store

if TYPE_CHECKING:
    from memtend.agent.models import AgentSeen

swarm = typer.Typer(help="Swarms: their agents, decisions and knowledge.", no_args_is_help=True)
Name = Annotated[
    str, typer.Argument(metavar="SWARM", help="The name of the swarm.", show_default=False)
]
Words = Annotated[str | None, typer.Option("--text", metavar="WORDS", help="All must occur in it.")]


def register(app: typer.Typer) -> None:
    for command in (list_, show_, decisions, knowledge):
        add(swarm, command)
    app.add_typer(swarm, name="swarm", rich_help_panel="Records")


def list_(store: Store = None, agent: Agent = None, json: Json = False) -> None:
    """List the swarms that the store keeps memory of."""
    from memtend.agent.history import swarms_of  # noqa: PLC0415

    with open_memory(store, agent) as memory:
        found = swarms_of(memory)
    if json:
        show.emit(found)
    elif found:
        show.table(("swarm",), [(show.clean(name),) for name in found])
    else:
        show.say("there is no swarm in the store")


def show_(name: Name, store: Store = None, agent: Agent = None, json: Json = False) -> None:
    """Who is there, what they are at, what the swarm shares, and its snapshots.

    Silent is who gave no sign of life for ten minutes.
    """
    from memtend.agent.common import swarm_state_of  # noqa: PLC0415
    from memtend.agent.picture import infos_of  # noqa: PLC0415
    from memtend.agent.reading import may_read  # noqa: PLC0415
    from memtend.model.layout import SwarmLayout  # noqa: PLC0415

    layout = SwarmLayout(name)
    with open_memory(store, agent) as memory:
        state = swarm_state_of(memory, layout)
        may = may_read(memory, layout.snapshots_root)
        snapshots = infos_of(memory, layout) if may else []
    if json:
        taken = [one.model_dump(mode="json") for one in snapshots]
        show.emit({**state.model_dump(mode="json"), "snapshots": taken})
        return
    if state.agents:
        heads = ("agent", "is", "last sign", "decisions", "at")
        show.table(heads, [_row(one) for one in state.agents], right=(3,), cut=(4,))
    else:
        show.say(f"no agent of {name} left anything here")
    if snapshots:
        rows = [
            (show.clean(one.name), show.moment(one.at), f"{one.records:,}") for one in snapshots
        ]
        show.table(("snapshot", "taken", "records"), rows, right=(2,))
    show.say(
        f"alive {state.alive}, silent {state.silent}, offline {state.offline}; "
        f"knowledge {state.knowledge:,}, coordination {len(state.coordination):,}"
    )


def decisions(
    name: Name,
    of: Annotated[
        str, typer.Option("--of", metavar="AGENT", help="Only of this agent; * means everybody.")
    ] = "*",
    kind: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    text: Words = None,
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List decisions, latest first, with how they turned out."""
    from memtend.agent.history import decided  # noqa: PLC0415
    from memtend.model.layout import SwarmLayout  # noqa: PLC0415

    with open_memory(store, agent) as memory:
        found = decided(memory, SwarmLayout(name), of, decision_type=kind, text=text, limit=limit)
    if json:
        show.emit(found)
        return
    if not found:
        show.say("no decision fits")
        return
    rows = [
        (
            show.moment(one.at),
            show.clean(one.agent or ""),
            show.clean(one.decision_type),
            show.shorten(one.decision),
            ", ".join(said.result or "said" for said in one.outcomes),
        )
        for one in found
    ]
    show.table(("decided", "agent", "type", "decision", "turned out"), rows, cut=(3,))


def knowledge(
    name: Name,
    kind: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    text: Words = None,
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List what the swarm shares, latest first, with who says it and how sure they are."""
    from memtend.agent.common import known  # noqa: PLC0415
    from memtend.model.layout import SwarmLayout  # noqa: PLC0415

    with open_memory(store, agent) as memory:
        found = known(memory, SwarmLayout(name), kind, text=text, limit=limit)
    if json:
        show.emit(found)
        return
    if not found:
        show.say("no knowledge fits")
        return
    rows = [
        (
            show.clean(one.knowledge_type),
            show.clean(one.topic or ""),
            show.shorten(one.knowledge),
            show.clean(one.agent or ""),
            "" if one.confidence is None else f"{one.confidence:.0%}",
        )
        for one in found
    ]
    show.table(("type", "topic", "knowledge", "says", "sure"), rows, right=(4,), cut=(2,))


def _row(one: AgentSeen) -> tuple[str, str, str, str, str]:
    tasks = [
        f"{task.task} {'' if task.done is None else format(task.done, '.0%')}".strip()
        for task in one.progress
        if task.status == "in_progress"
    ]
    return (
        show.clean(one.agent),
        one.status,
        show.moment(one.seen_at),
        f"{one.decisions:,}",
        show.clean(", ".join(tasks)),
    )
