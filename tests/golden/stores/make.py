"""Makes the stores of older schemas that every later release must bring forward.

    python tests/golden/stores/make.py

writes `0004.db` with its key, and a backup of it, beside this file. It was run with the program
whose newest revision is 0004, and runs with no other: what an older program wrote cannot be made
again by a newer one. `0003.db` was made the same way by the program whose newest revision was
0003, `0001.db` and `0002.db` by the one whose newest was 0002; `0001.db` holds what that schema has
tables for, was taken back to 0001 by Alembic, and its backup says that it is of 0001.

A store says of itself which file it is. All say "0:0", so the first program to open a copy takes
it for what it is, a copy, and begins a line of history of its own.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from memtend.backup import Asked, take
from memtend.clock import ManualClock
from memtend.codec import canonical
from memtend.codec.envelope import check_row
from memtend.drafting import Put
from memtend.memory import Memory
from memtend.model.lease import Fence
from memtend.model.policy import Policy, Reading
from memtend.model.policyfile import PolicyFile, Quotas
from memtend.model.policyset import PolicySet
from memtend.model.queueing import Ticket
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.objects import open_target
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import catalog, dictionaries, ghosts, migrations, schema, upkeep
from memtend.store.lease_rows import save
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store

HEAD = schema.HEAD
HERE = Path(__file__).parent
LABELS = Labels(kind="finding", agent="ada", session="s1", tags=("red", "blue"), confidence=0.75)
RULES = PolicySet(
    rules=(
        Policy(pattern="counts/**", reading=Reading.COUNTER),
        Policy(pattern="sets/**", reading=Reading.SET),
        Policy(pattern="maps/**", reading=Reading.MAP),
        Policy(pattern="short/**", ttl_ms=60_000),
    )
)


def finding(n: int) -> dict[str, object]:
    """Long enough for a dictionary to be used."""
    notes = [f"step {n * k % 8} of task {n} took {n * k % 977} ms" for k in range(30)]
    return {"task": f"task-{n}", "notes": notes, "attempt": n % 5}


def fill_first(services: Services, clock: ManualClock) -> None:
    """Something in every table of revision 0001."""
    memory = services.memory
    memory.config.set_policies(PolicyFile(policies=RULES, quotas=Quotas()), "operator")
    memory.config.grant("ada", "notes/**", "read", "operator")
    values: list[object] = [None, True, -7, 1.5, "ä中", [1, [2]], {"a": {"b": []}}, "x" * 3_000]
    memory.put_many([Put("notes", f"k{n}", value, LABELS) for n, value in enumerate(values)])
    memory.put("notes", "k1", False, op_id="op-1")
    memory.put("notes", "both", "one")
    memory.put("notes", "both", "other", ctx={})
    for by in (5, -2):
        memory.increment("counts", "c", by)
    for element in ("a", "b", 3):
        memory.add("sets", "s", element)
    memory.remove("sets", "s", "b")
    memory.put_field("maps", "m", "f", {"x": 1})
    memory.put_field("maps", "m", "g", 2)
    memory.put("short", "expired", "not shown any more")
    memory.put("notes", "dies", 1)
    memory.delete("notes", "dies")
    texts = [canonical.encode(finding(n)) for n in range(200)]
    dictionaries.train(memory.store, "finding", texts, actor="operator")
    memory.put("notes", "finding", finding(900), labels=LABELS)
    memory.get("notes", "k2")
    memory.flush()
    entry = catalog.Entry("0" * 20, "s3://golden/backups", clock.now_ms(), 9, 9, 999, "ab" * 32)
    catalog.record(memory.store, entry, "backup")
    memory.put("erased", "e", "a secret", labels=LABELS)
    services.apply_erase(services.plan_erase(Subject.of_record("erased", "e")))
    clock.advance(90_000)  # `short` has expired, and nothing was swept


def fill_together(memory: Memory, clock: ManualClock) -> None:
    """Something in every table that revision 0002 has added."""
    store = memory.store
    services = Services(memory, Settings(backup_url="s3://golden/backups"))
    services.add_peer("office", "s3://golden/place")
    memory.leases.acquire("work/a", holder="ada", ttl_ms=3_600_000)
    with store.engine.write() as tx:
        save(tx, Ticket("7" * 32, 1, "work/a", "write", "bob", clock.now_ms() + 3_600_000))
    memory.leases.accept("elsewhere", Fence(1, 4))
    messages = memory.messages
    for agent in ("ada", "bob"):
        messages.of(agent).subscribe("team")
    messages.of("ada").send("bob", {"text": "to bob"}, topic="t", id="m-1")
    messages.of("ada").broadcast("team", "to all", id="m-2")
    messages.of("bob").send("ada", "given up", id="m-3", tries=1)
    [taken] = messages.of("ada").receive()
    messages.of("ada").nack(taken)
    clock.advance(1_000)
    [held] = messages.of("bob").receive(limit=1)
    assert held.id == "m-1"


def fill_migrations(memory: Memory, clock: ManualClock) -> None:
    """A run in the table that revision 0003 has added."""
    at_ms = clock.now_ms()
    run = migrations.Migration(
        "c" * 32, "values", "aml", "1.0.0", "2.0.0", "d" * 64, "0" * 20, "done", "{}", at_ms, at_ms
    )
    with memory.store.engine.write() as tx:
        migrations.save(tx, run)


def fill_upkeep(memory: Memory, clock: ManualClock) -> None:
    """Something in every table that revision 0004 has added."""
    at_ms = clock.now_ms()
    rows: dict[str, list[tuple[object, ...]]] = {
        "alert": [("a-1", "disk", "store", "error", "open", "{}", at_ms, at_ms, None)],
        "ghost": [("notes", ghosts.digest_of("pruned"), "unused", "d" * 64, at_ms, 2, at_ms)],
        "metric": [("memtend_records", at_ms, 17.5)],
        "pruning": [("d" * 64, at_ms, 1, 900, 0, None, "{}")],
        "regret": [("unused", "notes", 1, 1, 2)],
        "silence": [("s-1", "disk", at_ms + 3_600_000, '{"by":"operator","why":"moving"}')],
    }
    with memory.store.engine.write() as tx:
        for table, one in rows.items():
            upkeep.save(tx, table, one)
    memory.flush()  # latencies


def make(folder: Path, revision: str) -> None:
    clock = ManualClock(seed=int(revision))
    path = folder / f"{revision}.db"
    settings = Settings(
        store_url=str(path), plans_url=str(folder / "plans"), archive_url=str(folder / "archive")
    )
    with Memory.open(str(path), clock=clock) as memory:
        services = Services(memory, settings)
        services._holder = "golden"
        fill_first(services, clock)
        if revision >= "0002":
            fill_together(memory, clock)
        if revision >= "0003":
            fill_migrations(memory, clock)
        if revision >= "0004":
            fill_upkeep(memory, clock)
        with memory.store.engine.write() as tx:
            tx.run("save_meta", memory.store.meta()._replace(file_id="0:0").params())
        report = verify_store(memory.store)
        assert report.ok, report.findings
        back_up(memory, folder / f"{revision}-backup", revision, clock)
    take_down(path, revision)
    shutil.copy(path, HERE)
    shutil.copy(f"{path}.key", HERE)
    shutil.copytree(folder / f"{revision}-backup", HERE / f"{revision}-backup")


def back_up(memory: Memory, target: Path, revision: str, clock: ManualClock) -> None:
    schema.HEAD = revision  # type: ignore[misc]
    try:
        with snapshot(memory.store) as view:
            take(
                view, open_target(str(target), clock), clock, check_row=check_row,
                asked=Asked(who="golden", why=revision, program="0.1.0", label="sqlite golden.db"),
            )  # fmt: skip
    finally:
        schema.HEAD = HEAD  # type: ignore[misc]


def take_down(path: Path, revision: str) -> None:
    """To the revision, and into one file without anything that was deleted."""
    maker = create_engine(f"sqlite:///{path}", poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", "memtend:store/schema")
    with maker.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    maker.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    assert HEAD == "0004", f"this program makes stores of schema {HEAD}"
    with tempfile.TemporaryDirectory() as home:
        make(Path(home), HEAD)
