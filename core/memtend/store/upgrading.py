"""Moving a store's schema forward or back, so that it is whole at every moment.

1. rehearse   a scratch copy is migrated and every byte of it checked; writers go on meanwhile
2. keep       writers wait; a whole copy of the store as it is, safe on the disk
3. migrate    one transaction: the revisions, the audit entry, the row of the history
4. verify     before it commits, that all rows are the same; after it, every byte again

A crash before the commit of 3 leaves the old schema, after it the new one, and perhaps a copy that
its time removes. Programs that have the store open write nothing more to a schema that they do not
know (`Store.notice`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from memtend.errors import InvalidSettings, SchemaRefused, SchemaWrong, StoreMissing
from memtend.store import migrations, schema
from memtend.store.meta import Meta
from memtend.store.migrations import Migration
from memtend.store.opening import key_in, postgres_engine
from memtend.store.store import Store
from memtend.store.upgrade_ground import (
    Fingerprint,
    Ground,
    Hand,
    fingerprint,
    forgetting,
    losses,
    note,
    successor,
)
from memtend.store.verify import verify_store

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.model.upgrade import Loss
    from memtend.store.engine import Transaction

WHAT: Final = "schema"
_MEMORY: Final = ("sqlite://", "", ":memory:")


class Move(NamedTuple):
    """From where to where, under which plan, and how the copy of before is called.

    `lose`: rows that the wanted schema has no place for may go.
    """

    run: str
    found: str
    wanted: str
    plan: str
    snapshot: str
    began_ms: int
    lose: bool = False


class Moved(NamedTuple):
    """`rows` is what the store held before and holds after."""

    rows: Fingerprint
    losses: tuple[Loss, ...] = ()


@contextmanager
def ground_of(url: str) -> Iterator[Ground]:
    """Where an existing store lies; raises `StoreMissing`."""
    if url.startswith(("postgresql://", "postgres://")):
        from memtend.store.upgrade_postgres import ServerGround  # noqa: PLC0415 — an optional extra

        with closing(postgres_engine(url)) as server:
            if not schema.has_tables(server):
                raise StoreMissing(url=server.url)
            yield ServerGround(server, url)
        return
    from memtend.store.upgrade_sqlite import FileGround  # noqa: PLC0415

    path = url.removeprefix("sqlite:///")
    if url in _MEMORY:
        raise InvalidSettings(name="store_url", why="a store in memory is never of an older schema")
    if "://" in path:
        raise InvalidSettings(name="store_url", why=f"{path.split('://')[0]}:// is not known")
    if not os.path.exists(path) or not os.path.getsize(path):
        raise StoreMissing(url=path)
    ground = FileGround(path)
    with closing(ground.engine):
        yield ground


def key_of(ground: Ground, key_path: Path | None, clock: Clock) -> bytes:
    """The audit key of the store. Unlike opening it, this makes none."""
    engine = ground.engine
    if key_path is None and engine.path is None:
        rows = engine.read("setting", ("audit_key",))
        if rows:
            return bytes.fromhex(rows[0][0])
        raise SchemaRefused(url=engine.url, why="it holds no key of its audit trail")
    path = key_path or Path(f"{engine.path}.key")
    if not path.exists():
        raise SchemaRefused(url=engine.url, why=f"{path}, the key of its audit trail, is missing")
    return key_in(path, clock)


def rehearse(ground: Ground, found: str, wanted: str, clock: Clock, key: bytes) -> Moved:
    """Migrate a scratch copy and check it whole; raises `SchemaWrong`. The store is only read.

    A copy that goes back comes forward again, since only this program's own schema can be checked.
    """
    with ground.copied(clock.new_id(), found) as copy:
        if found == schema.HEAD:
            _verify(copy, clock, key, f"before its migration to {wanted}")
        with copy.revising() as hand:
            before = fingerprint(hand.tx)
            lost = losses(hand.ask, found, wanted)
            hand.to(wanted)
            _compare(before, fingerprint(hand.tx), copy, wanted)
        if found == schema.HEAD:
            with copy.revising() as hand:
                hand.to(found)
                _compare(before, fingerprint(hand.tx), copy, found)
        if schema.HEAD in (found, wanted):
            _verify(copy, clock, key, f"after its migration to {wanted}")
    return Moved(before, lost)


def move(ground: Ground, step: Move, clock: Clock, key: bytes) -> Moved:
    """Migrate the store itself. Raises `SchemaRefused`, `SchemaWrong`; then it is as it was."""
    with ground.revising() as hand, forgetting(ground, step.snapshot):
        here = str(hand.ask("SELECT version_num FROM alembic_version")[0][0])
        if here != step.found:
            why = f"it was of schema {step.found} when this was planned, and is of {here} now"
            raise SchemaRefused(url=ground.engine.url, why=why)
        lost = losses(hand.ask, step.found, step.wanted)
        refuse_losses(ground.engine.url, step, lost)
        before = fingerprint(hand.tx)
        ground.keep(hand, step.snapshot, step.found)
        if step.found == schema.HEAD:
            _take_down(hand, ground, step, clock, key)
        hand.to(step.wanted)
        if step.wanted == schema.HEAD:
            _write_down(hand, ground, step, clock, key, before)
        _compare(before, fingerprint(hand.tx), ground, step.wanted)
    return Moved(before, lost)


def verify(ground: Ground, step: Move, clock: Clock, key: bytes) -> None:
    """Check every byte of the migrated store; what is wrong is said in its history, too."""
    try:
        _verify(ground, clock, key, f"after its migration; {step.snapshot} holds it as it was")
    except SchemaWrong:
        with ground.engine.write() as tx:
            rows = tx.fetch("migration", (step.run,))
            [run] = migrations.opened(rows, ground.engine.url)
            migrations.save(tx, run._replace(state="failed"))
        raise


def take_back(ground: Ground, step: Move, snapshot: str, clock: Clock, key: bytes) -> Moved:
    """Put a kept copy in the store's place. Whatever was written since stays in the new copy.

    What must never go back goes on: the sequence, the clock, tokens of leases. The next program to
    open it begins a line of history of its own, as after a restore.
    """
    engine = ground.engine

    def adapt(tx: Transaction, live: Meta) -> None:
        kept, held = Meta.of(tx.fetch("meta"), engine.url), fingerprint(tx)
        if (held.rows, held.sum) != (kept.rows, bytes(kept.sum)):
            why = f"{snapshot} is damaged: its rows are not those that it counts"
            raise SchemaWrong(url=engine.url, wanted=step.wanted, why=why)
        tx.run("save_meta", successor(kept, live).params())
        detail = _detail(step, snapshot=os.path.basename(snapshot))
        note(Hand(tx, None, lambda _: None), engine, key, clock, detail)

    ground.swap_back(snapshot, step.snapshot, step.found, adapt)
    with engine.snapshot() as reader:
        return Moved(fingerprint(reader))


def refuse_losses(url: str, step: Move, lost: tuple[Loss, ...]) -> None:
    if lost and not step.lose:
        told = ", ".join(f"{one.rows:,} rows of {_part(one)}" for one in lost)
        why = f"schema {step.wanted} has no place for {told}, and --lose was not said"
        raise SchemaRefused(url=url, why=why)


def _part(loss: Loss) -> str:
    return f"{loss.table}.{loss.column}" if loss.column else loss.table


def _write_down(
    hand: Hand, ground: Ground, step: Move, clock: Clock, key: bytes, rows: Fingerprint
) -> None:
    facts = {"rows": rows.rows, "sum": rows.sum.hex(), "digest": rows.digest}
    run = Migration(
        step.run, WHAT, WHAT, step.found, step.wanted, step.plan, os.path.basename(step.snapshot),
        "done", orjson.dumps(facts).decode(), step.began_ms, clock.now_ms(),
    )  # fmt: skip
    migrations.save(hand.tx, run)
    note(hand, ground.engine, key, clock, _detail(step))


def _take_down(hand: Hand, ground: Ground, step: Move, clock: Clock, key: bytes) -> None:
    """Runs that led to where the schema is leaving count as rolled back, where the table stays."""
    for run in migrations.opened(hand.tx.fetch("stream_migration"), ground.engine.url):
        if run.what == WHAT and run.wanted > step.wanted and run.state == "done":
            migrations.save(hand.tx, run._replace(state=migrations.ROLLED_BACK))
    note(hand, ground.engine, key, clock, _detail(step))


def _detail(step: Move, **more: Any) -> str:
    told = {"found": step.found, "wanted": step.wanted, "run": step.run, "plan": step.plan, **more}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()


def _compare(before: Fingerprint, after: Fingerprint, ground: Ground, wanted: str) -> None:
    if before != after:
        why = f"of its {before.rows:,} rows not all are the same afterwards ({after.rows:,})"
        raise SchemaWrong(url=ground.engine.url, wanted=wanted, why=why)


def _verify(ground: Ground, clock: Clock, key: bytes, when: str) -> None:
    report = verify_store(Store(ground.engine, clock, key))
    if not report.ok:
        first = report.findings[0]
        why = f"{report.damage_count:,} parts are damaged {when}: {first.where}: {first.why}"
        raise SchemaWrong(url=ground.engine.url, wanted=schema.HEAD, why=why)
