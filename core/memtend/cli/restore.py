"""`restore`: bring a store, or parts of it, back. A plan first, the deed with `--apply`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Apply, Json, Store, Target
from memtend.cli.restore_show import preview, report_of
from memtend.clock import to_datetime
from memtend.durations import parse_duration
from memtend.errors import RestoreRefused

if TYPE_CHECKING:
    from memtend.backup.restore_plan import Mode, Scope

PANEL = "Upkeep"
UNDO = "undo"


def register(app: typer.Typer) -> None:
    """The same command at the top, where somebody in a hurry looks for it."""
    add(app, restore, panel=PANEL)


def register_backup(app: typer.Typer) -> None:
    add(app, restore)


def restore(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="undo", help="Bring back what the last restore replaced.", show_default=False
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="A moment such as 2026-11-03T14:03:00Z."),
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option("--manifest", metavar="BACKUP", help="Its number or name; else the newest."),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", metavar="PATTERN", help="Only what is below, as new writes."),
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Only this record of --namespace.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="Only records of this agent.")
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="MODE",
            help="rejoin: as it was; peers bring back what they know. reassert: write again what "
            "differs. everybody: all peers must follow.",
        ),
    ] = "",
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="URL", help="A new place; the open store stays."),
    ] = None,
    damaged: Annotated[
        bool,
        typer.Option(
            "--damaged", help="The store cannot be opened: move it aside, delete nothing."
        ),
    ] = False,
    replace_other: Annotated[
        bool, typer.Option("--replace-other", help="The backup is of another store, and meant.")
    ] = False,
    keep_old: Annotated[
        str, typer.Option("--keep-old", metavar="TIME", help="How long undo is possible.")
    ] = "24h",
    target: Target = None,
    apply: Apply = False,
    store: Store = None,
    json: Json = False,
) -> None:
    """Bring a store, or parts of it, back to a backup or to a moment.

    Prints what would come, change and go, and stops. With --apply, builds the state beside the
    store, verifies it, swaps it in at one stroke, and keeps the old one; `restore undo` brings that
    back. A backup that is not whole is noticed before anything is touched.

    With --namespace, --key or --agent only those records come back, as new writes; what was added
    since stays.
    """
    keep_ms, scope = _duration(keep_old), _scope(namespace, key, agent)
    if what is not None:
        _undo(what, keep_ms, apply, store, json)
        return
    wish = _Wish(target, _moment(to), manifest, scope, _mode(mode), replace_other)
    if into is not None or damaged:
        _restore_fresh(wish, into, damaged, apply, store, json)
        return
    with open_operator(store) as services:
        with show.waiting("reading the backup and comparing it with the store"):
            plan = services.plan_restore(**wish._asdict())
        if not apply:
            preview(plan, json)
            return
        with show.waiting(f"restoring {plan.rows:,} records"):
            report = services.apply_restore(plan, keep_ms=keep_ms)
    report_of(report, json)


class _Wish(NamedTuple):
    """The arguments of `Services.plan_restore`."""

    target_url: str | None
    to: datetime | None
    manifest: str | None
    scope: Scope
    mode: Mode | None
    replace_other: bool


def _restore_fresh(
    wish: _Wish, into: str | None, damaged: bool, apply: bool, store: str | None, json: bool
) -> None:
    """No store is opened: there is none, or it cannot be."""
    from memtend.backup.restore_plan import Mode  # noqa: PLC0415
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.serving.fresh import apply_fresh, plan_fresh  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    mode = wish.mode or Mode.REJOIN
    if not wish.scope.whole or mode is Mode.REASSERT:
        raise RestoreRefused(why="a part can only be brought back into a store that is open")
    settings, clock = Settings(), SystemClock()
    with show.waiting("reading the backup"):
        plan = plan_fresh(
            settings, clock, wish.target_url, to=wish.to, manifest=wish.manifest, mode=mode
        )
    if not apply:
        preview(plan, json)
        return
    place = into or store or settings.store_url
    with show.waiting(f"restoring {plan.rows:,} records"):
        report = apply_fresh(plan, place, settings, clock, damaged=damaged)
    report_of(report, json)


def _undo(what: str, keep_ms: int, apply: bool, store: str | None, json: bool) -> None:
    if what != UNDO:
        raise typer.BadParameter(f"{what[:64]!r} is not {UNDO!r}")
    with open_operator(store) as services:
        kept = services.kept_store()
        if apply:
            with show.waiting("bringing the old store back"):
                report = services.undo_restore(keep_ms=keep_ms)
    if apply:
        report_of(report, json)
    elif json:
        show.emit(kept._asdict())
    else:
        made, until = to_datetime(kept.made_ms), to_datetime(kept.until_ms)
        show.facts((("kept", kept.name), ("replaced", show.moment(made)),
                    ("stays until", show.moment(until))))  # fmt: skip
        show.say("Nothing was changed. Bring it back with --apply; what was written since is kept.")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        why = f"{text[:64]!r} is not a moment with its zone, such as 2026-11-03T14:03:00Z"
        raise typer.BadParameter(why, param_hint="--to")
    return at


def _duration(text: str) -> int:
    found = parse_duration(text)
    if found is None:
        why = f"{text[:64]!r} is not a time such as 90s, 12h, 1d12h"
        raise typer.BadParameter(why, param_hint="--keep-old")
    return found


def _mode(text: str) -> Mode | None:
    from memtend.backup.restore_plan import Mode  # noqa: PLC0415

    try:
        return Mode(text) if text else None
    except ValueError:
        why = f"{text[:64]!r} is none of {', '.join(Mode)}"
        raise typer.BadParameter(why, param_hint="--mode") from None


def _scope(namespace: str | None, key: str | None, agent: str | None) -> Scope:
    from pydantic import ValidationError  # noqa: PLC0415

    from memtend.backup.restore_plan import Scope  # noqa: PLC0415

    try:
        return Scope(namespace=namespace, key=key, agent=agent)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from None
