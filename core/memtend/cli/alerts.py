"""`alerts list|check|ack|resolve|silence|unsilence|test`: what somebody should know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from memtend.cli import show
from memtend.cli.adding import add, refuse_above
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtend.alerting.report import AlertReport
    from memtend.model.alert import Alert, Silence

PANEL = "The store"
ENDED_MAX = 1_000
_ID_CHARS = 8
alerts_app = typer.Typer(
    help="Alerts: what somebody should know of, and who is told.", invoke_without_command=True
)


class Untold(Protocol):
    """A channel that could not be told, and why."""

    @property
    def channel(self) -> str: ...

    @property
    def why(self) -> str: ...


AlertId = Annotated[
    str,
    typer.Argument(metavar="ALERT", help="Its id as listed, or the beginning of it.",
                   show_default=False),
]  # fmt: skip
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="For whoever looks next.")]
Ended = Annotated[
    int,
    typer.Option("--ended", metavar="N", min=0, max=ENDED_MAX, help="And as many that have ended."),
]


def register(app: typer.Typer) -> None:
    for command in (list_, check, ack, resolve, silence, unsilence):
        add(alerts_app, command)
    add(alerts_app, trial, "test")
    app.add_typer(alerts_app, name="alerts", rich_help_panel=PANEL)


@alerts_app.callback()
def alerts(context: typer.Context, store: Store = None, json: Json = False) -> None:
    """Alerts: what somebody should know of, and who is told. By itself the same as `list`."""
    if context.invoked_subcommand is None:
        _list(store, 0, json)
    else:
        refuse_above(context)


def list_(ended: Ended = 0, store: Store = None, json: Json = False) -> None:
    """List the alerts that stand, the worst first, and the silences.

    As the last check left them; `check` looks anew.
    """
    _list(store, ended, json)


def check(
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="URL", help="Judge the backups in this target, too."),
    ] = None,
    tell: Annotated[
        bool, typer.Option("--tell/--no-tell", help="Tell the addresses in MEMTEND_ALERT_URLS.")
    ] = True,
    store: Store = None,
    json: Json = False,
) -> None:
    """Look at the store, open and end alerts, and tell people of what is new.

    Run it on a schedule. What stays wrong is told once and then reminded of daily, until it ends
    or somebody acknowledges it. The status is 88 when somebody could not be told; it is tried
    again next time.
    """
    with open_operator(store) as services:
        found = services.check_alerts(target, tellers=None if tell else ())
    if json:
        show.emit_model(found)
    else:
        _tell_report(found)
    _raise_untold(found.untold)


def ack(alert: AlertId, note: Note = "", store: Store = None, json: Json = False) -> None:
    """Say that somebody is at it: no more reminders, unless it gets worse."""
    with open_operator(store) as services:
        found = services.acknowledge_alert(alert, note=note)
    _tell_one(found, "acknowledged", json)


def resolve(alert: AlertId, note: Note = "", store: Store = None, json: Json = False) -> None:
    """End an alert by hand. While its cause lasts, the next check opens another."""
    with open_operator(store) as services:
        found = services.resolve_alert(alert, note=note)
    _tell_one(found, "resolved", json)


def silence(
    pattern: Annotated[
        str,
        typer.Argument(metavar="PATTERN", help="Such as health.backup, query.*, or "
                       "'agent.memory:agent ada'.", show_default=False),
    ],
    for_: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Such as 2h or 3d; a year at most.")
    ] = "2h",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="For those who wonder.")] = "",
    store: Store = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Tell nobody of some alerts for a time.

    They are found and listed all the same. What still stands when the silence ends is told then.
    """
    from memtend.durations import parse_duration  # noqa: PLC0415

    for_ms = parse_duration(for_)
    if for_ms is None:
        raise typer.BadParameter(f"{for_!r} is not a time such as 2h or 3d", param_hint="--for")
    with open_operator(store) as services:
        made = services.silence_alerts(pattern, for_ms, why=why)
    if json:
        show.emit_model(made)
        return
    name = show.clean(made.pattern)
    show.done(f"{name} is silent until {show.moment(made.until)} ({made.id[:_ID_CHARS]})")


def unsilence(
    silence: Annotated[
        str,
        typer.Argument(metavar="SILENCE", help="Its id as listed, or the beginning of it.",
                       show_default=False),
    ],
    store: Store = None,
    json: Json = False,
) -> None:  # fmt: skip
    """End a silence now."""
    with open_operator(store) as services:
        ended = services.unsilence(silence)
    if json:
        show.emit_model(ended)
    else:
        show.done(f"{show.clean(ended.pattern)} is told again")


def trial(store: Store = None, json: Json = False) -> None:
    """Send a test to every address in MEMTEND_ALERT_URLS, and to the server of PREFECT_API_URL.

    Of a Prefect server is told whether it took the test, which automations hear of it, and whether
    they could tell somebody. The status is 88 when one failed.
    """
    from memtend.cli.alerts_prefect import try_prefect  # noqa: PLC0415

    with open_operator(store) as services:
        found = services.test_alerts()
    answer = try_prefect(store)
    if json:
        told = [one.model_dump(mode="json") for one in found]
        show.emit([*told, *([answer.told()] if answer else [])])
    elif not found and answer is None:
        show.note("there is nobody to tell: set MEMTEND_ALERT_URLS or MEMTEND_ALERT_URLS_FILE")
    else:
        for one in found:
            if not one.why:
                show.done(f"{one.channel} was told")
        if answer:
            answer.say()
    _raise_untold(
        [*(one for one in found if one.why), *([answer] if answer and answer.why else [])]
    )


def _list(store: str | None, ended: int, json: bool) -> None:
    with open_operator(store) as services:
        found, silences = services.alerts(ended), services.silences()
    if json:
        show.emit(
            {
                "alerts": [one.model_dump(mode="json") for one in found],
                "silences": [one.model_dump(mode="json") for one in silences],
            }
        )
        return
    if not any(one.ended_at is None for one in found):
        show.say("no alert stands")
    _table(found)
    _silences(silences)


def _table(found: Sequence[Alert]) -> None:
    if not found:
        return
    heads = ("level", "state", "alert", "about", "fact", "since", "id")
    rows = [
        (show.level(one.level), _state(one), one.rule, show.clean(one.scope),
         show.clean(one.fact), show.moment(one.opened_at), one.id[:_ID_CHARS])
        for one in found
    ]  # fmt: skip
    show.table(heads, rows, cut=(6,))


def _silences(found: Sequence[Silence]) -> None:
    if found:
        heads = ("silence", "until", "by", "why", "id")
        rows = [
            (show.clean(one.pattern), show.moment(one.until), show.clean(one.by),
             show.clean(one.why), one.id[:_ID_CHARS])
            for one in found
        ]  # fmt: skip
        show.table(heads, rows)


def _state(one: Alert) -> str:
    more = [word for word, so in (("flapping", one.flapping), ("silenced", one.silenced)) if so]
    return ", ".join([one.state.value, *more])


def _tell_report(found: AlertReport) -> None:
    for word in ("opened", "raised", "lowered", "resolved"):
        for one in getattr(found, word):
            line = f"{word} {one.rule} ({one.scope}, {one.level.value}): {one.fact}"
            show.say(show.clean(line))
    _table(found.standing)
    hints = (f"{one.rule}: {one.hint}" for one in found.standing if one.hint)
    for hint in dict.fromkeys(hints):  # many agents may need the same
        show.say(show.clean(hint))
    for told in found.told:
        show.done(f"{told.channel} was told of {told.alerts:,}")
    if not found.standing:
        show.done("no alert stands")
    if found.left_out:
        show.note(f"{found.left_out:,} more were found than one rule may open")


def _tell_one(one: Alert, word: str, json: bool) -> None:
    if json:
        show.emit_model(one)
    else:
        show.done(show.clean(f"{one.rule} ({one.scope}) {word} by {one.by}"))


def _raise_untold(untold: Sequence[Untold]) -> None:
    from memtend.errors import AlertsUntold  # noqa: PLC0415

    if untold:
        why = "; ".join(dict.fromkeys(one.why for one in untold))
        raise AlertsUntold(channels=", ".join(one.channel for one in untold), why=why)
