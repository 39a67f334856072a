"""`messages send|receive|ack|nack|list|dead|retry|discard|purge`: messages from a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Json, Limit, Store
from memtend.cli.values import ttl_of, value_of
from memtend.durations import parse_duration
from memtend.errors import NoMessage
from memtend.limits import MESSAGE_TRIES, MESSAGE_TTL_MS

if TYPE_CHECKING:
    from memtend.messaging import Messages
    from memtend.model.message import Message

_HEADS = ("id", "from", "topic", "sent", "tries", "body")
messages = typer.Typer(help="Messages between agents, kept until done.", no_args_is_help=True)
Inbox = Annotated[
    str | None,
    typer.Option("--inbox", metavar="NAME", help="Whose inbox; else that of the agent."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="As listed.", show_default=False)]
Receipt = Annotated[
    str, typer.Option("--receipt", metavar="TEXT", help="What `memtend messages receive` gave.")
]
Topic = Annotated[str, typer.Option("--topic", metavar="NAME", help="Such as work/new.")]


def register(app: typer.Typer) -> None:
    for command in (send, receive, ack, nack, list_, dead, retry, discard, purge):
        add(messages, command)
    app.add_typer(messages, name="messages", rich_help_panel="Records")


def send(
    to: Annotated[str, typer.Argument(metavar="TO", help="An agent, or a swarm with --broadcast.")],
    body: Annotated[
        str, typer.Argument(metavar="BODY", help="JSON, or plain text; - reads standard input.")
    ],
    broadcast: Annotated[
        bool, typer.Option("--broadcast", help="To every member of the swarm TO.")
    ] = False,
    topic: Topic = "",
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="A repeated id does nothing.")
    ] = None,
    ttl: Annotated[
        str | None, typer.Option("--ttl", metavar="TIME", help="Such as 1h; else a day.")
    ] = None,
    tries: Annotated[
        int, typer.Option("--tries", min=1, help="Deliveries until it is a dead letter.")
    ] = MESSAGE_TRIES,
    text: Annotated[bool, typer.Option("--text", help="Send BODY as it is.")] = False,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Send a message. It is kept until it is acknowledged or its time is over."""
    what = value_of(body, to, as_text=text)
    more: dict[str, Any] = {"topic": topic, "id": id_, "tries": tries}
    more["ttl_ms"] = ttl_of(ttl) or MESSAGE_TTL_MS
    with open_memory(store, agent) as memory:
        post = memory.messages.broadcast if broadcast else memory.messages.send
        sent = post(to, what, **more)
    if json:
        show.emit({"id": sent})
    else:
        show.done(f"sent {sent} to {to}")


def receive(
    inbox: Inbox = None,
    topic: Topic = "",
    limit: Limit = 1,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="TIME", help="Such as 30s, where none is there.")
    ] = None,
    visible: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long nobody else gets it.")
    ] = "30s",
    take: Annotated[
        bool, typer.Option("--ack", help="Acknowledge at once: a crash then loses it.")
    ] = False,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Receive what waits, oldest first per sender.

    Each comes again when its time runs out, unless `memtend messages ack` names its receipt before.
    """
    with open_memory(store, agent) as memory:
        own = memory.messages
        found = own.receive(
            inbox,
            limit=limit,
            topic=topic,
            visible_ms=_time(visible, "--for"),
            wait_s=_time(wait, "--wait") / 1_000 if wait else 0.0,
        )
        for message in found if take else ():
            own.ack(message)
    if json:
        show.emit([_plain(message) for message in found])
        return
    for message in found:
        show.facts(
            (
                ("id", message.id),
                ("from", message.sender),
                ("topic", message.topic),
                ("try", f"{message.tries} of {message.tries_max}"),
                ("receipt", "" if take else message.receipt),
                ("body", show.shorten(message.body)),
            )
        )
    if not found:
        show.say("nothing waits")


def ack(
    id_: Id,
    receipt: Receipt,
    inbox: Inbox = None,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Acknowledge a message: it is done, and does not come again.

    The status is 98 when it was handed out again meanwhile.
    """
    with open_memory(store, agent) as memory:
        memory.messages.ack(_received(memory.messages, inbox, id_, receipt))
    _told({"id": id_, "acknowledged": True}, f"{id_} is done", json=json)


def nack(
    id_: Id,
    receipt: Receipt,
    delay: Annotated[
        str | None, typer.Option("--delay", metavar="TIME", help="Not before this time is over.")
    ] = None,
    inbox: Inbox = None,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Give a message back, to be tried again."""
    delay_ms = _time(delay, "--delay") if delay else 0
    with open_memory(store, agent) as memory:
        one = _received(memory.messages, inbox, id_, receipt)
        memory.messages.nack(one, delay_ms=delay_ms)
    _told({"id": id_, "given_back": True}, f"{id_} is given back", json=json)


def list_(
    inbox: Inbox = None,
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List what is in an inbox, without receiving it.

    Without an inbox and without an agent, list the inboxes that hold something.
    """
    with open_memory(store, agent) as memory:
        own = memory.messages
        if inbox is None and memory.agent is None:
            backlogs = [own.backlog(name) for name in own.inboxes()]
            if json:
                show.emit([one._asdict() for one in backlogs])
            elif backlogs:
                rows = [
                    (b.inbox, f"{b.waiting:,}", f"{b.dead:,}", show.size(b.bytes)) for b in backlogs
                ]
                show.table(("inbox", "waiting", "dead", "size"), rows, right=(1, 2, 3))
            else:
                show.say("every inbox is empty")
            return
        _list(own.peek(inbox, limit=limit), "the inbox is empty", json=json)


def dead(
    inbox: Inbox = None,
    limit: Limit = 100,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """List dead letters: what was delivered in vain too often, or is damaged."""
    with open_memory(store, agent) as memory:
        _list(memory.messages.dead(inbox, limit=limit), "there are no dead letters", json=json)


def retry(
    id_: Id, inbox: Inbox = None, store: Store = None, agent: Agent = None, json: Json = False
) -> None:
    """Put a dead letter back to its place, with new tries."""
    with open_memory(store, agent) as memory:
        memory.messages.retry(id_, inbox)
    _told({"id": id_, "retried": True}, f"{id_} will be delivered again", json=json)


def discard(
    id_: Id, inbox: Inbox = None, store: Store = None, agent: Agent = None, json: Json = False
) -> None:
    """Let a dead letter go."""
    with open_memory(store, agent) as memory:
        memory.messages.discard(id_, inbox)
    _told({"id": id_, "discarded": True}, f"{id_} is gone", json=json)


def purge(store: Store = None, agent: Agent = None, json: Json = False) -> None:
    """Drop what has expired, in all inboxes.

    The sweep does it, too.
    """
    with open_memory(store, agent) as memory:
        gone = memory.messages.purge()
    say = f"{gone.deliveries:,} undelivered dropped, {gone.messages:,} forgotten"
    _told(gone._asdict(), say, json=json)


def _received(own: Messages, inbox: str | None, id_: str, receipt: str) -> Message:
    """The message in hand. One that is not there any more is told as such by who settles it."""
    name = own.agent if inbox is None else inbox
    found = own.find(id_, inbox)
    if found is None:
        raise NoMessage(what="message", id=id_, inbox=name)
    return found._replace(receipt=receipt)


def _list(found: list[Message], nothing: str, *, json: bool) -> None:
    if json:
        show.emit([_plain(message) for message in found])
    elif not found:
        show.say(nothing)
    else:
        rows = [
            (m.id, m.sender, m.topic, show.moment(m.sent_at), f"{m.tries}/{m.tries_max}",
             "(damaged)" if m.damaged else show.shorten(m.body))
            for m in found
        ]  # fmt: skip
        show.table(_HEADS, rows, cut=(5,))


def _plain(message: Message) -> dict[str, Any]:
    return {name: value for name, value in message._asdict().items() if value != ""}


def _told(what: dict[str, Any], say: str, *, json: bool) -> None:
    if json:
        show.emit(what)
    else:
        show.done(say)


def _time(text: str, option: str) -> int:
    found = parse_duration(text)
    if not found:
        raise typer.BadParameter("it is no time such as 30s or 5m", param_hint=option)
    return found
