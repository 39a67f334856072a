"""Comparing two states, and what looking into a backup shows of special values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend import Memory
from memtend.backup.compare import compare
from memtend.backup.inspect import as_one
from memtend.clock import ManualClock
from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.errors import BackupUnknown, NotFound
from memtend.model.policy import Compression, Policy, Reading
from memtend.model.record import Labels
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store import dictionaries
from memtend.store.snapshot import snapshot
from tests.fixtures.backups import row
from tests.fixtures.stores import beside, set_policies

names = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "z"]))
states = st.dictionaries(names, st.binary(max_size=2))


@given(states, states)
def test_every_record_is_counted_once(before: dict[tuple[str, str], bytes],
                                      after: dict[tuple[str, str], bytes]) -> None:  # fmt: skip
    """Added, changed, removed or unchanged, as two mappings would say it."""
    rows = [
        iter(sorted(row(namespace, key, value) for (namespace, key), value in state.items()))
        for state in (before, after)
    ]
    found = compare("one", rows[0], "two", rows[1], names_max=2)
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert found.added == len(after.keys() - before.keys())
    assert found.removed == len(before.keys() - after.keys())
    assert found.changed == len(changed)
    assert found.unchanged == len(before.keys() & after.keys()) - len(changed)
    assert found.same == (before == after)
    assert sum(one.changed for one in found.namespaces.values()) == found.changed
    assert found.truncated == (found.added + found.removed + found.changed > 2)


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.chdir(tmp_path)
    settings = Settings(store_url=str(tmp_path / "store.db"), backup_url=str(tmp_path / "backups"))
    with open_services(settings=settings, clock=ManualClock()) as opened:
        yield opened


def test_versions_side_by_side_are_all_shown(services: Services) -> None:
    memory: Memory = services.memory
    memory.put("n", "k", 1)
    beside(memory, "n", "k", 2)
    services.take_backup()
    versions = services.inspect_record(None, "n", "k")
    assert [one.value for one in versions] == [1, 2]
    assert as_one(versions)[0] is False
    (shown,) = services.inspect_keys(None, "n")
    assert (shown.key, shown.versions) == ("k", 2)


def test_counters_and_sets_come_as_they_are_read(services: Services) -> None:
    memory = services.memory
    set_policies(memory, Policy(pattern="c", reading=Reading.COUNTER),
                 Policy(pattern="s", reading=Reading.SET))  # fmt: skip
    memory.increment("c", "hits", 7)
    memory.increment("c", "hits", -2)
    memory.add("s", "words", "two")
    memory.add("s", "words", "one")
    services.take_backup()
    hits, words = (
        services.inspect_record(None, "c", "hits"),
        services.inspect_record(None, "s", "words"),
    )
    assert as_one(hits) == (True, memory.get("c", "hits"))
    assert as_one(words) == (True, memory.members("s", "words"))
    assert ([one.type for one in hits], [one.type for one in words]) == (
        ["counter"],
        ["element"] * 2,
    )


def test_a_value_with_a_dictionary_comes_back(services: Services) -> None:
    memory = services.memory
    texts = [b'{"task":"write the report of day %d","status":"done"}' % n for n in range(200)]
    dictionaries.train(memory.store, "task", texts, actor="test")
    memory.config.refresh(memory.store.meta().config)
    set_policies(memory, Policy(pattern="n", compression=Compression(threshold_bytes=0)))
    value = {"task": "write the report of day 77", "status": "done"}
    memory.put("n", "k", value, labels=Labels(kind="task"))
    services.take_backup()
    with snapshot(services.store) as view:
        (stored,) = view.rows()
    assert codec_of(stored.flags) == Codec.ZSTD_DICT
    (found,) = services.inspect_record(None, "n", "k")
    assert (found.value, found.kind) == (value, "task")


def test_what_is_not_there_is_said(services: Services) -> None:
    services.memory.put("n", "k", 1)
    services.take_backup()
    with pytest.raises(NotFound):
        services.inspect_record(None, "n", "other")
    assert services.inspect_keys(None, "elsewhere") == []
    with pytest.raises(BackupUnknown):
        services.inspect_backup("77")
    assert services.diff_backups("1").same
