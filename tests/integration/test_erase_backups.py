"""Later backups hold what the store holds, whatever was erased before and after."""

from __future__ import annotations

from itertools import count

import fsspec
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.backup.layers import open_state
from memtend.backup.manifest import BackupKind
from memtend.backup.report import BackupReport
from memtend.backup.repository import Repository
from memtend.backup.take import Asked, take
from memtend.clock import ManualClock
from memtend.codec.envelope import check_row, unpack
from memtend.memory import Memory
from memtend.model.record import Labels
from memtend.model.subject import Subject
from memtend.objects import open_target
from memtend.services import Services
from memtend.settings import Settings
from memtend.store.ledger import Filter
from memtend.store.snapshot import snapshot
from memtend.store.verify import verify_store

NAMESPACES, KEYS, AGENTS = ("a", "a/b", "c"), ("k1", "k2"), ("ada", "bob")
PUT = st.tuples(
    st.just("put"), st.sampled_from(NAMESPACES), st.sampled_from(KEYS), st.sampled_from(AGENTS)
)
BESIDE = st.tuples(
    st.just("beside"), st.sampled_from(NAMESPACES), st.sampled_from(KEYS), st.sampled_from(AGENTS)
)
DELETE = st.tuples(st.just("delete"), st.sampled_from(NAMESPACES), st.sampled_from(KEYS))
SUBJECTS = st.one_of(
    st.builds(Subject.of_record, st.sampled_from(NAMESPACES), st.sampled_from(KEYS)),
    st.builds(Subject.of_namespace, st.sampled_from((*NAMESPACES, "*/b"))),
    st.builds(Subject.of_agent, st.sampled_from(AGENTS)),
)
ERASE = st.tuples(st.just("erase"), SUBJECTS)
BACKUP = st.tuples(st.just("backup"))
STEPS = st.lists(st.one_of(PUT, PUT, BESIDE, DELETE, ERASE, BACKUP, BACKUP), max_size=25)
_numbers = count()


class Life:
    """A store, its repository, and what was ever erased from it."""

    def __init__(self, memory: Memory) -> None:
        name = f"erase-{next(_numbers)}"
        self.clock = memory.store.clock
        self.target = open_target(f"memory://{name}", self.clock)
        chosen = Settings(plans_url=f"memory://{name}-p", archive_url=f"memory://{name}-a")
        self.services = Services(memory, chosen)
        self.store = memory.store
        self.erased: set[tuple[str, int]] = set()
        self.taken: list[BackupReport] = []

    def dots(self) -> set[tuple[str, int]]:
        with snapshot(self.store) as view:
            return {unpack(row.body).dot for row in view.rows()}

    def do(self, step: tuple[object, ...]) -> None:
        memory = self.services.memory
        match step:
            case ("put", str(ns), str(key), str(agent)):
                memory.put(ns, key, {"by": agent}, labels=Labels(agent=agent))
            case ("beside", str(ns), str(key), str(agent)):
                memory.put(ns, key, {"by": agent}, labels=Labels(agent=agent), ctx={})
            case ("delete", str(ns), str(key)):
                memory.delete(ns, key)
            case ("erase", Subject() as subject):
                before = self.dots()
                report = self.services.apply_erase(self.services.plan_erase(subject))
                assert report.residue == 0, report
                self.erased |= before - self.dots()
            case _:
                self.backup()

    def backup(self) -> None:
        with snapshot(self.store) as view:
            report = take(view, self.target, self.clock, check_row=check_row, asked=Asked())
            self.taken.append(report)
            state = open_state(Repository.open(self.target), report.manifest, check_row=check_row)
            assert list(state.rows()) == list(view.rows())
            assert list(state.log()) == list(view.log())
            assert list(state.side()) == list(view.side())
            assert list(state.audit()) == list(view.audit())

    def check_older_backups(self) -> None:
        """The ledger holds back all that was erased, and nothing that is alive."""
        live = self.dots()
        with snapshot(self.store) as view:
            ledger = Filter.of_side(view.side())
        for report in self.taken:
            state = open_state(Repository.open(self.target), report.manifest, check_row=check_row)
            for row in state.rows():
                dot = unpack(row.body).dot
                assert not (dot in self.erased and not ledger.erased(row))
                assert not (dot in live and ledger.erased(row))


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_backups_after_an_erasure_hold_what_the_store_holds(
    steps: list[tuple[object, ...]],
) -> None:
    """Whatever is written, deleted, erased and backed up in whatever order."""
    fsspec.filesystem("memory").store.clear()
    with Memory.open("sqlite://", clock=ManualClock()) as memory:
        life = Life(memory)
        for step in [*steps, ("backup",)]:
            life.do(step)
        life.check_older_backups()
        assert verify_store(memory.store).ok


def test_the_first_backup_after_an_erasure_is_full_and_says_why(clock: ManualClock) -> None:
    """An increment would keep the erased bytes alive for as long as it is kept itself."""
    fsspec.filesystem("memory").store.clear()
    with Memory.open("sqlite://", clock=clock) as memory:
        life = Life(memory)
        for step in (
            ("put", "a", "k1", "ada"),
            ("backup",),
            ("put", "c", "k1", "bob"),
            ("backup",),
        ):
            life.do(step)
        life.do(("erase", Subject.of_agent("ada")))
        life.do(("backup",))
        life.do(("put", "c", "k2", "bob"))
        life.do(("backup",))
        kinds = [report.kind for report in life.taken]
        assert kinds == [BackupKind.FULL, BackupKind.INCREMENTAL] * 2
        assert any("erased" in note for note in life.taken[2].notes)
