"""Building a wished state beside the live store, and believing it only when it is read back.

Everything of the backup is read and checked on the way in, so that a damaged or missing object
shows here, where nothing live has been touched. Then the engine checks its pages while every row is
read back: the hash of each, which covers its name, their number and their sum must be those of what
was put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtend.backup.wished import Wished, Witness
from memtend.codec.compress import Damaged
from memtend.codec.envelope import check_row
from memtend.errors import RestoreWrong
from memtend.store.building import Contents, Numbers, load
from memtend.store.snapshot import snapshot
from memtend.store.store import Store

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.store.beside import Beside


@contextmanager
def rebuilt(
    built: Beside,
    wished: Wished,
    numbers: Numbers,
    clock: Clock,
    key: bytes,
    beat: Callable[[], None] = lambda: None,
) -> Iterator[Witness]:
    """Fill and check `built`, and hand out what it holds; nothing of it is left behind."""
    name = str(wished.chosen.name)
    try:
        passed = Witness()
        try:
            with built.loading() as tx:
                contents = Contents(
                    passed.over(wished.rows()), wished.log(), wished.side(), wished.audit(key),
                    wished.access(), wished.facts,
                )  # fmt: skip
                file_id = built.engine.file_id()
                load(tx, contents, numbers, now_ms=clock.now_ms(), file_id=file_id, beat=beat)
        except Damaged as error:
            raise RestoreWrong(manifest=name, why=str(error)) from error
        wished.check()
        wished.close()
        _read_back(Store(built.engine, clock, key), passed, name, beat)
        yield passed
    finally:
        built.discard()


def _read_back(store: Store, passed: Witness, name: str, beat: Callable[[], None]) -> None:
    found = Witness(root=False)
    with ThreadPoolExecutor(max_workers=1) as worker, snapshot(store) as view:
        integrity = worker.submit(store.engine.integrity)
        for number, row in enumerate(view.rows()):
            if number % 1_000 == 0:
                beat()
            if not check_row(row):
                why = f"{row.namespace}/{row.key} reads back differently"
                raise RestoreWrong(manifest=name, why=why)
            found.add(row)
        told = view.records, view.state.sum.hex()
        if problems := integrity.result():
            raise RestoreWrong(manifest=name, why=f"the database built is damaged: {problems[0]}")
    if not found.found[:2] == passed.found[:2] == told:
        raise RestoreWrong(manifest=name, why="what was built reads back differently")
