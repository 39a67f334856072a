"""`conflicts list|show|resolve`: keys with several concurrent values, and ending that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Apply, Json, Key, Limit, Namespace, Store
from memtend.cli.values import value_of
from memtend.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtend.memory import Memory
    from memtend.model.conflict import ConflictView

_ASKED = ("--take", "--value", "--strategy")
conflicts = typer.Typer(
    help="Concurrent values of one key: list them, look at them, settle them.",
    no_args_is_help=True,
)
Field = Annotated[
    str, typer.Option("--field", metavar="NAME", help="A field of a map, as it is listed.")
]


def register(app: typer.Typer) -> None:
    for command in (list_, show_, resolve):
        add(conflicts, command)
    app.add_typer(conflicts, name="conflicts", rich_help_panel="Records")


def list_(
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="Namespaces, such as swarm/**.")
    ] = "**",
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List contested keys: with several values, or with one of another kind than theirs.

    Several values stand beside each other when agents wrote without having seen each other's. All
    are kept; the policy of the namespace says which is shown.
    """
    from memtend.resolving import conflicts  # noqa: PLC0415

    with open_memory(store, agent) as memory:
        found = conflicts(memory, pattern, limit)
    if json:
        show.emit(found)
        return
    if not found:
        show.say("no key has conflicting values")
        return
    rows = [
        (one.path, str(one.siblings), str(one.values), str(one.foreign or ""),
         show.moment(one.since), show.moment(one.newest))
        for one in found
    ]  # fmt: skip
    heads = ("record", "siblings", "different", "other kind", "since", "newest")
    show.table(heads, rows, right=(1, 2, 3))
    show.say(f"{len(found):,} listed" + ("; there may be more" if len(found) == limit else ""))


def show_(
    namespace: Namespace,
    key: Key,
    field: Field = "",
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Show each value of a contested key, and what each policy would show of them.

    Values are numbered from the oldest on. A part of a counter shows what it adds.
    """
    with open_memory(store, agent) as memory:
        found = _found(memory, namespace, key, field)
    if json:
        show.emit(found)
        return
    rows = (
        (str(one.number), one.kind + (" (foreign)" if one.foreign else ""), one.writer or "owner",
         one.replica[:8], show.moment(one.at), show.shorten(one.value))
        for one in found.siblings
    )  # fmt: skip
    show.table(("no", "kind", "writer", "replica", "written", "value"), rows, right=(0,), cut=(5,))
    here = found.strategy
    show.table(
        ("policy", "would show"),
        ((f"{name} (holds here)" if name == here else name, show.shorten(value))
         for name, value in found.shows.items()),
        cut=(1,),
    )  # fmt: skip
    for problem in found.problems:
        show.note(problem)
    field_said = f" --field {field}" if field else ""
    show.say(f"settle it: memtend conflicts resolve {namespace} {key}{field_said} "
             f"--take N --seen {found.seen}")  # fmt: skip


def resolve(
    namespace: Annotated[
        str | None, typer.Argument(metavar="NAMESPACE", help="As listed.", show_default=False)
    ] = None,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="As listed.", show_default=False)
    ] = None,
    field: Field = "",
    take: Annotated[
        int | None, typer.Option("--take", metavar="N", min=1, help="The value of this number.")
    ] = None,
    value: Annotated[
        str | None, typer.Option("--value", metavar="JSON", help="Another one, such as a merger.")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", metavar="NAME", help="What lww or function:NAME shows."),
    ] = None,
    seen: Annotated[
        str | None,
        typer.Option("--seen", metavar="ID", help="Refuse if there are other values by now."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every conflict of --namespace.")] = False,
    pattern: Annotated[
        str, typer.Option("--namespace", metavar="PATTERN", help="With --all: where.")
    ] = "**",
    apply: Apply = False,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Settle a conflict: one value stays, as a new write that has seen the others.

    What arrives meanwhile is not lost: the command is refused (status 15), or the newcomer stands
    beside the new value.

    With --all, shows the plan for every conflict of --namespace; --apply carries it out.
    """
    asked = [name for name, given in zip(_ASKED, (take, value, strategy), strict=True)
             if given is not None]  # fmt: skip
    if every:
        if namespace or key or asked != ["--strategy"]:
            raise typer.BadParameter("--all takes --strategy and --namespace, and no key")
        with open_memory(store, agent) as memory:
            _resolve_all(memory, pattern, str(strategy), apply, json)
        return
    if namespace is None or key is None or len(asked) != 1:
        raise typer.BadParameter(f"give NAMESPACE, KEY and one of {', '.join(_ASKED)}; or --all")
    from memtend.resolving import settle  # noqa: PLC0415

    given = None if value is None else value_of(value, key, as_text=False)
    with open_memory(store, agent) as memory:
        stands = settle(
            memory, namespace, key, given, field=field, take=take, strategy=strategy, seen=seen
        )
    if json:
        show.emit({"namespace": namespace, "key": key, "field": field, "value": stands})
    else:
        show.done(f"settled {namespace}/{key}: {show.shorten(stands)}")


def _found(memory: Memory, namespace: str, key: str, field: str) -> ConflictView:
    from memtend.resolving import conflict  # noqa: PLC0415

    found = conflict(memory, namespace, key, field)
    if found is None:
        raise NotFound(namespace=namespace, key=f"{key} that is contested")
    return found


def _resolve_all(memory: Memory, pattern: str, strategy: str, apply: bool, json: bool) -> None:
    from memtend.resolving import settle_all  # noqa: PLC0415

    plan, report = settle_all(memory, pattern, strategy, apply=apply)
    if json:
        show.emit_model(report if apply else plan)
        return
    if apply:
        left = report.planned - report.written
        show.done(f"{report.written:,} conflicts settled, {left:,} left")
        _say(report.notes)
        return
    rows = ((f"{one.namespace}/{one.key}", one.reason) for one in plan.decisions[: show.ROWS_SHOWN])
    if plan.decisions:
        show.table(("record", "what"), rows)
    show.say(f"would settle {report.planned:,} conflicts" + (" and more" * plan.truncated))
    show.say("Nothing was changed. Carry it out with --apply.")


def _say(notes: Iterable[str]) -> None:
    for note in notes:
        show.note(note)
