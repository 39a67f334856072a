"""`sync PEER`: bring this store and another to the same state, directly or through a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store
from memtend.errors import EpochMismatch, MemtendError

if TYPE_CHECKING:
    from memtend.services import Services
    from memtend.sync.report import SyncReport, Way

PANEL = "Replicas"
EVERYBODY = "all"


def register(app: typer.Typer) -> None:
    add(app, sync, panel=PANEL)


def sync(
    peer: Annotated[
        str,
        typer.Argument(
            metavar="PEER",
            help="A registered name; a store (postgresql://…, or a database file); a place that "
            "all can reach (a folder, s3://bucket/folder); or all.",
            show_default=False,
        ),
    ],
    pull: Annotated[bool, typer.Option("--pull", help="Only take what the peer has.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Only give what we have.")] = False,
    bootstrap: Annotated[
        bool,
        typer.Option(
            "--bootstrap",
            help="After everybody was rolled back without us, or this store was put back to an "
            "older copy: save what nobody has seen to a file, then take the peer's state.",
        ),
    ] = False,
    quarantine: Annotated[
        str | None,
        typer.Option(
            "--quarantine",
            metavar="FILE",
            help="With --bootstrap, the file for unsent writes; else a new one in memtend-unsent "
            "beside the plans.",
        ),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring this store and a peer to the same state.

    Nothing is lost: values that were written at the same time are both kept, what was deleted on
    one side and rewritten on the other stays, and counters add up. Repeating it changes nothing.

    Through a place each replica writes below its own id, so any number may sync at once.
    """
    if pull and push:
        raise typer.BadParameter("leave out --pull and --push to do both")
    ways = {"pull": pull or not push, "push": push or not pull}
    with open_operator(store) as services:

        def one(name: str) -> SyncReport:
            with show.waiting(f"syncing with {show.clean(name)}"):
                report = services.sync(name, **ways, bootstrap=bootstrap, quarantine=quarantine)
            if not json:
                tell(report)
            return report

        reports = _with_all(services, one) if peer == EVERYBODY else [one(peer)]
    if json:
        found = [report.model_dump(mode="json") for report in reports]
        show.emit(found if peer == EVERYBODY else found[0])
    for report in reports:
        if report.behind is not None:
            raise EpochMismatch(sender=report.peer, theirs=report.behind, ours=report.epoch)


def _with_all(services: Services, one: Callable[[str], SyncReport]) -> list[SyncReport]:
    """One after the other; a peer that fails holds up no other, and is raised at the end."""
    names, reports = services.registered(), []
    failed: MemtendError | None = None
    for silent in services.retire_silent():
        show.note(f"{silent} was silent for a week and is retired; `memtend peers list`")
    if not names:
        show.say("no peers; add one with `memtend peers add`")
    for name in names:
        try:
            reports.append(one(name))
        except MemtendError as error:
            show.note(f"{show.clean(name)}: {error}")
            failed = failed or error
    if failed is not None:
        raise failed
    return reports


def tell(report: SyncReport) -> None:
    """What came, what went, what arose, what to do next."""
    named = f"{report.name} ({report.peer})" if report.name else report.peer
    others = f", {report.members:,} other replicas there" if report.kind == "place" else ""
    show.facts(
        (
            ("peer", named + others),
            ("came", came(report.pulled) if report.pulled else ""),
            ("went", went(report.pushed) if report.pushed else ""),
            ("conflicts", f"{report.conflicts:,}" if report.conflicts else ""),
            ("log dropped", f"{report.log_dropped:,}" if report.log_dropped else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in advice(report):
        show.note(show.clean(text))


def came(way: Way) -> str:
    if not way.records:
        return "nothing new"
    parts = [f"{way.records:,} records", f"{way.added:,} values new", f"{way.dropped:,} ended"]
    if way.erased:
        parts.append(f"{way.erased:,} left out, erased here")
    return f"{', '.join(parts)}; {show.size(way.bytes)}"


def went(way: Way) -> str:
    if not way.deltas or not way.records:
        return "nothing new"
    whole = ", everything anew" if way.full else ""
    return f"{way.records:,} records{whole}; {show.size(way.bytes)}"


def advice(report: SyncReport) -> list[str]:
    """What happened beside the plan, and what to do about it."""
    told = []
    if report.bootstrapped:
        told.append("this store took the others' state after everybody was rolled back")
    if report.unsent:
        told.append(f"{report.unsent:,} writes that the others may not know are in {report.saved}")
    if report.late:
        told.append(
            f"{report.late:,} changes came meanwhile; `memtend restore undo` shows the store "
            "that was replaced"
        )
    if report.renewed:
        told.append(
            f"this store goes on as {report.renewed}; if it was put back to an older copy and "
            f"written to since, `memtend sync {report.name or report.peer} --bootstrap` takes the "
            "peer's state and keeps ours in a file"
        )
    if report.rejoined:
        told.append(
            f"this replica had been retired: it goes on as {report.rejoined}, and what it had "
            "not sent is offered as new writes"
        )
    if report.peer_rejoined:
        told.append(f"the peer had been retired here: it goes on as {report.peer_rejoined}")
    told += [f"{one.where}: {one.why}" for one in report.findings]
    told += report.alarms
    if report.conflicts:
        told.append(
            f"{report.conflicts:,} keys hold several concurrent values; `memtend conflicts list` "
            "shows them"
        )
    return told
