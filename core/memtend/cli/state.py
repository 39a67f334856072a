"""`init`, `stats`, `explain`, `clock`, `ballast`: what a store is and how it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add, refuse_above
from memtend.cli.opening import open_memory, open_operator
from memtend.cli.options import Agent, Json, Key, Namespace, Store

if TYPE_CHECKING:
    from memtend.model.explanation import Explanation

PANEL = "The store"
ballast_app = typer.Typer(help="Space set aside for a full disk.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    for command in (init, stats, explain, clock):
        add(app, command, panel=PANEL)
    add(ballast_app, refill)
    app.add_typer(ballast_app, name="ballast", rich_help_panel=PANEL)


def init(
    policies: Annotated[
        Path | None,
        typer.Option("--policies", metavar="FILE", help="Retention policies to begin with."),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Make a store, or look at the one that is there.

    Safe to repeat.
    """
    from memtend.policies import load_policies  # noqa: PLC0415

    # Read first: a wrong policy file leaves no half-made store.
    file = load_policies(policies) if policies is not None else None
    with open_operator(store, create=True) as services:
        if file is not None:
            services.memory.config.set_policies(file, services.memory.agent or "owner")
        made, url = services.facts(), services.store.url
    if json:
        found = {"url": url, "store_id": made.store_id, "records": made.records}
        show.emit(found)
        return
    show.done(f"the store {url} is ready, with {made.records:,} records")
    for text in file.notes if file else ():
        show.note(text)


def stats(store: Store = None, agent: Agent = None, json: Json = False) -> None:
    """How much is stored, where and by whom.

    Quotas that are nearly used are named. The answer is kept up to date by every write: it costs
    the same at any size.
    """
    with open_memory(store, agent) as memory:
        found = memory.stats()
    if json:
        show.emit_model(found)
        return
    show.facts(
        (
            ("records", f"{found.records:,}"),
            ("content", show.size(found.bytes)),
            ("file", show.size(found.file_bytes)),
            ("changes", f"{found.changes:,} since the store was made"),
        )
    )
    if len(found.tiers) > 1:
        rows = [(t.name, f"{t.records:,}", show.size(t.bytes)) for t in found.tiers]
        show.table(("tier", "records", "size"), rows, right=(1, 2))
    if found.archived.records:
        saved, share = found.archived.saved_bytes, found.archived.saved_share
        verb = "saves" if saved >= 0 else "costs"
        show.say(f"archiving {verb} {show.size(abs(saved))} ({abs(share):.0%})")
    parts = (("namespace", found.namespaces), ("agent", found.agents), ("session", found.sessions))
    for what, shares in parts:
        biggest = sorted(shares, key=lambda share: -share.bytes)[: show.ROWS_SHOWN]
        if biggest:
            rows = [(s.name, f"{s.records:,}", show.size(s.bytes)) for s in biggest]
            show.table((what, "records", "size"), rows, right=(1, 2))
        if len(shares) > len(biggest):
            show.say(f"and {len(shares) - len(biggest):,} smaller; --json lists all")
    for one in found.pressure:
        show.note(f"{one.scope} {one.name} uses {one.share:.0%} of {show.size(one.limit_bytes)}")


def explain(
    namespace: Namespace, key: Key, store: Store = None, agent: Agent = None, json: Json = False
) -> None:
    """Why a record is as it is, or why it is gone.

    Which policy governs it, where its TTL comes from, when it ends or how it ended.
    """
    from memtend.explain import explain as explain_key  # noqa: PLC0415

    with open_memory(store, agent) as memory:
        found = explain_key(memory, namespace, key)
    if json:
        show.emit_model(found)
    else:
        _print_explanation(found)


def clock(store: Store = None, json: Json = False) -> None:
    """Compare this clock with the store's newest timestamp."""
    from memtend.clock import to_datetime  # noqa: PLC0415
    from memtend.crdt.hlc import millis  # noqa: PLC0415
    from memtend.limits import PEER_AHEAD_MS_MAX  # noqa: PLC0415

    with open_memory(store, None) as memory:
        held = memory.store
        now_ms, newest_ms = held.clock.now_ms(), millis(held.meta().hlc)
        server_ms, alarm_ms = held.engine.server_ms(), held.clock.alarm_ms
    ahead_ms = newest_ms - now_ms
    found = {
        "now": to_datetime(now_ms), "newest_write": to_datetime(newest_ms) if newest_ms else None,
        "store_ahead_ms": max(ahead_ms, 0), "alarm_ms": alarm_ms,
        "server": None if server_ms is None else to_datetime(server_ms),
    }  # fmt: skip
    if json:
        show.emit(found)
        return
    show.facts(
        (
            ("this machine", show.moment(to_datetime(now_ms))),
            ("newest write", show.moment(to_datetime(newest_ms)) if newest_ms else "none yet"),
            ("database server", show.moment(to_datetime(server_ms)) if server_ms else ""),
        )
    )
    if ahead_ms > PEER_AHEAD_MS_MAX:
        show.note(f"the store is {ahead_ms / 1_000:,.0f} s ahead of this clock: one of them is off")


@ballast_app.callback()
def ballast(context: typer.Context, store: Store = None, json: Json = False) -> None:
    """Say how much space is set aside, so that a full disk can still be swept."""
    if context.invoked_subcommand is None:
        _tell_ballast(store, json)
    else:
        refuse_above(context)


def refill(store: Store = None, json: Json = False) -> None:
    """Lay down what was given up while the disk was full."""
    _tell_ballast(store, json)


def _tell_ballast(store: str | None, json: bool) -> None:
    """Opening a store lays down what is missing, as far as there is room."""
    from memtend.limits import BALLAST_BYTES, BALLAST_FILES  # noqa: PLC0415

    with open_memory(store, None) as memory:
        held = memory.store.ballast.count()
        wanted = BALLAST_FILES if memory.store.engine.path else 0
    if json:
        show.emit({"files": held, "wanted": wanted, "bytes": held * BALLAST_BYTES})
    elif not wanted:
        show.say("this store is no file of ours: its disk is the database server's matter")
    else:
        show.say(f"{held} of {wanted} files, {show.size(held * BALLAST_BYTES)} set aside")
        if held < wanted:
            show.note("there is no room for the rest; free space and run it again")


def _print_explanation(found: Explanation) -> None:
    show.facts(
        (
            ("record", f"{found.namespace}/{found.key}"),
            ("state", found.state),
            ("written", show.moment(found.updated_at)),
            ("by", found.writer or ""),
            ("ends", show.moment(found.expires_at) or ("never" if found.siblings else "")),
            ("TTL from", found.ttl_from),
            ("siblings", str(found.siblings) if found.siblings > 1 else ""),
            ("read as", found.policy.reading.value),
            ("cleaned", found.policy.cleanup.value),
        )
    )
    show.table(("policy", "why"), ((rule.pattern, rule.why) for rule in found.rules))
    if (by := found.pruned) is not None:
        often = "once" if by.reads == 1 else f"{by.reads:,} times"
        asked = f"; asked for {often} since" if by.reads else ""
        show.say(f"pruned by {by.rule}{asked}: memtend undo {by.plan[:12]} brings it back")
    if found.endings:
        rows = [(show.moment(e.at), e.why, e.replica[:8]) for e in found.endings]
        show.table(("ended", "how", "replica"), rows)
