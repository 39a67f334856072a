"""`put`, `get`, `delete`, `list`, `search`, `increment`: one agent's view of its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.getting import get
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Json, Key, Limit, Namespace, Store
from memtend.cli.values import cold_of, fields_of, ttl_of, value_of
from memtend.errors import NotFound

if TYPE_CHECKING:
    from memtend.model.record import Labels, Record

PANEL = "Records"
Share = Annotated[
    float | None,
    typer.Option(min=0, max=1, metavar="SHARE", help="Between 0 and 1."),
]


def register(app: typer.Typer) -> None:
    for command in (put, get, delete, list_, search, increment):
        add(app, command, panel=PANEL)


def put(
    namespace: Namespace,
    key: Key,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help="JSON, or plain text; - reads standard input.")
    ],
    text: Annotated[bool, typer.Option("--text", help="Store VALUE as it is.")] = False,
    ttl: Annotated[
        str | None,
        typer.Option("--ttl", metavar="TIME", help="7d, 1d12h, permanent; else the policy's."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Such as decision or pattern.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="The run it belongs to.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="May be repeated.")] = None,
    importance: Share = None,
    confidence: Share = None,
    pinned: Annotated[bool, typer.Option("--pinned", help="Never pruned.")] = False,
    op_id: Annotated[
        str | None,
        typer.Option("--op-id", metavar="ID", help="A repeated id changes nothing."),
    ] = None,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Store a value; it replaces what is there.

    VALUE is JSON when it reads as JSON, else text. What begins like JSON ({, [ or ") but is none is
    refused; --text stores anything as it is.

    Without labels, those of the record that is replaced stay; giving any label replaces all.
    """
    given: dict[str, Any] = {
        "kind": kind, "session": session, "tags": tag or None, "importance": importance,
        "confidence": confidence, "pinned": pinned or None,
    }  # fmt: skip
    what = value_of(value, key, as_text=text)
    ttl_ms = ttl_of(ttl)
    with open_memory(store, agent) as memory:
        labels = _labels(given)
        dot = memory.put(namespace, key, what, labels=labels, ttl_ms=ttl_ms, op_id=op_id)
    if json:
        show.emit({"namespace": namespace, "key": key, "dot": dot})
    else:
        show.done(f"stored {namespace}/{key}")


def delete(
    namespace: Namespace, key: Key, store: Store = None, agent: Agent = None, json: Json = False
) -> None:
    """Remove one record at once.

    The status is 17 where there was none.
    """
    with open_memory(store, agent) as memory:
        if not memory.delete(namespace, key):
            raise NotFound(namespace=namespace, key=key)
    if json:
        show.emit({"namespace": namespace, "key": key, "deleted": True})
    else:
        show.done(f"deleted {namespace}/{key}")


def list_(
    namespace: Annotated[
        str | None,
        typer.Argument(metavar="NAMESPACE", help="Else the namespaces.", show_default=False),
    ] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="Only keys that begin so.")] = "",
    after: Annotated[str, typer.Option("--after", help="Only keys after this one.")] = "",
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List the records of a namespace, in key order.

    Without a namespace, list the namespaces.
    """
    with open_memory(store, agent) as memory:
        if namespace is None:
            config, who = memory.config, memory.agent
            shares = [
                share
                for share in memory.stats().namespaces
                if who is None or config.allows(who, "read", share.name)
            ]
            page = []
        else:
            page = memory.scan(namespace, prefix=prefix, after=after, limit=limit)
    if namespace is None:
        if json:
            show.emit(shares)
        elif not shares:
            show.say("the store is empty")
        else:
            rows = [(share.name, f"{share.records:,}", show.size(share.bytes)) for share in shares]
            show.table(("namespace", "records", "size"), rows, right=(1, 2))
        return
    if json:
        show.emit([{"key": key, "value": value} for key, value in page])
    elif not page:
        show.say(f"nothing is visible in {namespace}")
    else:
        show.table(("key", "value"), ((k, show.shorten(v)) for k, v in page), cut=(1,))
    if len(page) == limit:
        show.note(f"there may be more: --after {page[-1][0]}")


def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD", help="All must occur.", show_default=False),
    ] = None,
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="PATTERN", help="Such as knowledge/*.")
    ] = "**",
    tag: Annotated[str | None, typer.Option("--tag", help="Has this tag.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Is of this kind.")] = None,
    from_agent: Annotated[str | None, typer.Option("--from-agent", help="Labelled so.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="Belongs to this run.")] = None,
    writer: Annotated[str | None, typer.Option("--writer", help="Who really wrote it.")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="PATH=VALUE", help="What stands there in the value."),
    ] = None,
    confidence_min: Share = None,
    confidence_max: Share = None,
    importance_min: Share = None,
    success_min: Share = None,
    success_max: Share = None,
    cold: Annotated[
        str,
        typer.Option(
            "--cold",
            metavar="HOW",
            help="Archived records: read their values, only their labels, or skip them.",
        ),
    ] = "read",
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Find records for which every condition holds.

    Ranges are inclusive; a record that does not say is in no range.
    """
    from memtend.model.query import Query  # noqa: PLC0415

    query = Query(
        namespace=namespace, tag=tag, kind=kind, agent=from_agent, session=session, writer=writer,
        fields=fields_of(field or []), text=" ".join(words or []) or None,
        confidence_min=confidence_min, confidence_max=confidence_max,
        importance_min=importance_min, success_min=success_min, success_max=success_max,
        cold=cold_of(cold), limit=limit,
    )  # fmt: skip
    with open_memory(store, agent) as memory:
        found = memory.search(query)
    if json:
        show.emit(found)
        return
    if not found:
        show.say("nothing found")
        return
    rows = [
        (_marked(record), record.labels.kind, record.labels.agent or "", show.shorten(record.value))
        for record in found
    ]
    show.table(("record", "kind", "agent", "value"), rows, cut=(3,))
    show.say(f"{len(found):,} found" + ("; there may be more" if len(found) == limit else ""))


def increment(
    namespace: Namespace,
    key: Key,
    by: Annotated[int, typer.Option("--by", metavar="N", help="May be negative.")] = 1,
    op_id: Annotated[
        str | None, typer.Option("--op-id", metavar="ID", help="A repeated id changes nothing.")
    ] = None,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Add to a counter and print its new value.

    Increments of several agents at once all count.
    """
    with open_memory(store, agent) as memory:
        value = memory.increment(namespace, key, by, op_id=op_id)
    show.emit({"namespace": namespace, "key": key, "value": value} if json else value)


def _marked(record: Record) -> str:
    return f"{record.path} (archived)" if record.archived else record.path


def _labels(given: dict[str, Any]) -> Labels | None:
    said = {name: value for name, value in given.items() if value is not None}
    if not said:
        return None
    from memtend.model.record import Labels  # noqa: PLC0415

    return Labels(**said)
