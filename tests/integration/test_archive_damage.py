"""Damage of the archive: found by whoever reads the value, and by verification; never returned."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtend.clock import ManualClock
from memtend.errors import (
    ArchiveDamaged,
    ArchiveForeign,
    ArchiveUnreachable,
    BackupKeyRefused,
    MemtendError,
)
from memtend.memory import Memory
from memtend.model.query import Cold, Query
from memtend.model.record import Labels
from memtend.services import Services
from tests.fixtures.archives import NS, archive_everything, fill, serving, shown, value

FLIPS = 300
KEY = "5e" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def cold(folder: Path, clock: ManualClock) -> Iterator[Services]:
    """Ten archived records."""
    with serving("sqlite://", str(folder), clock) as services:
        fill(services, 10)
        archive_everything(services)
        yield services


def reader_of(services: Services) -> None:
    """Blocks that were read before are not read again: begin anew."""
    services.store.archive.reader.forget()  # type: ignore[union-attr]


def the_object(folder: Path) -> Path:
    [path] = [path for path in (folder / "objects").rglob("*") if path.is_file()]
    return path


def test_no_damage_of_an_object_gives_another_value(cold: Services, folder: Path) -> None:
    """Flipped, zeroed, cut, extended and swapped: verification finds each; reads, what matters."""
    path, dice = the_object(folder), random.Random(7)
    data = path.read_bytes()
    changes = []
    for _ in range(FLIPS):
        at = dice.randrange(len(data))
        changes.append(data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :])
    half = len(data) // 2
    changes += [b"", data[:-1], data[:half], data + b"\0", data[half:] + data[:half]]
    changes += [data[:half] + bytes(len(data) - half), bytes(len(data))]
    for changed in changes:
        path.write_bytes(changed)
        assert not cold.verify_archive().ok
        reader_of(cold)
        try:
            assert shown(cold) == {f"k{n:03d}": value(n) for n in range(10)}
        except ArchiveDamaged:
            continue


def test_a_missing_object_is_named(cold: Services, folder: Path) -> None:
    the_object(folder).unlink()
    reader_of(cold)
    with pytest.raises(ArchiveDamaged, match="not there") as caught:
        cold.memory.get(NS, "k001")
    assert caught.value.code == 33
    report = cold.verify_archive()
    assert report.damage_count == 1
    assert "10 records need it" in report.findings[0].why


@pytest.mark.parametrize("how", ["flip", "delete"])
def test_a_damaged_manifest_is_found_and_harms_no_read(
    cold: Services, folder: Path, how: str
) -> None:
    [path] = (folder / "manifests").iterdir()
    if how == "delete":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert not cold.verify_archive().ok if how == "flip" else cold.verify_archive().unnamed == 1
    reader_of(cold)
    assert cold.memory.get(NS, "k001") == value(1)


def test_a_damaged_stub_stops_compacting_from_removing(cold: Services) -> None:
    """What it names is not known, so nothing may go."""
    cold.store.engine.script("UPDATE sibling SET value = X'00' WHERE key = 'k001'")
    with pytest.raises(MemtendError):
        cold.memory.get(NS, "k001")
    cold.recall(f"{NS}/k000")
    for key in (f"k{n:03d}" for n in range(2, 10)):
        cold.memory.delete(NS, key)
    plan = cold.plan_compact()
    assert [d.reason for d in plan.decisions] == ["a damaged row may name it; run `memtend verify`"]
    assert not cold.verify_archive().ok


def test_without_the_archive_labels_can_still_be_searched(
    cold: Services, folder: Path, tmp_path: Path
) -> None:
    shutil.move(folder, tmp_path / "elsewhere")
    reader_of(cold)
    found = cold.memory.search(Query(namespace=NS, tag="t", cold=Cold.LABELS))
    assert len(found) == 10
    with pytest.raises(ArchiveForeign):
        cold.memory.get(NS, "k001")


def test_an_unreachable_archive_is_a_passing_fault(
    clock: ManualClock, tmp_path: Path, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("sqlite://", s3_url, clock) as services:
        fill(services, 2)
        archive_everything(services)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setattr("memtend.objects.retry.TARGET_TRIES", 1)
        reader_of(services)
        with pytest.raises(ArchiveUnreachable) as caught:
            services.memory.get(NS, "k001")
        assert caught.value.transient


def test_the_archive_can_be_moved(cold: Services, folder: Path, tmp_path: Path) -> None:
    """Copied by whatever means, and named once."""
    moved = tmp_path / "elsewhere"
    shutil.move(folder, moved)
    values = {f"k{n:03d}": value(n) for n in range(10)}
    object.__setattr__(
        cold, "settings", cold.settings.model_copy(update={"archive_url": str(moved)})
    )
    cold.settings.model_fields_set.add("archive_url")
    assert cold.verify_archive().ok
    assert shown(cold) == values


def test_an_encrypted_archive_shows_nothing_and_needs_its_key(
    folder: Path, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setenv("MEMTEND_BACKUP_KEY", KEY)
    canary = "canary-" + "x1y2" * 100
    with serving(store_url, str(folder), clock) as services:
        services.memory.put(NS, "secret-name", {"it": canary}, labels=Labels(tags=("hush",)))
        values = fill(services, 4)
        archive_everything(services)
        assert services.verify_archive().ok
        assert services.memory.get(NS, "secret-name") == {"it": canary}
        services.recall(f"{NS}/k000")
        assert shown(services) == values | {"secret-name": {"it": canary}}
    every = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for word in (b"secret-name", b"canary", b"hush", NS.encode(), KEY.encode()):
        assert word not in every
    monkeypatch.setenv("MEMTEND_BACKUP_KEY", "6f" * 32)
    with Memory.open(store_url, clock=clock) as memory, pytest.raises(BackupKeyRefused):
        memory.get(NS, "k001")
    monkeypatch.delenv("MEMTEND_BACKUP_KEY")
    with Memory.open(store_url, clock=clock) as memory:
        assert memory.get(NS, "k000") == value(0)
        with pytest.raises(BackupKeyRefused):
            memory.get(NS, "k001")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
LABELS = st.builds(
    Labels,
    kind=st.sampled_from(("note", "fact")),
    agent=st.none() | st.sampled_from(("ada", "bob")),
    tags=st.sampled_from(((), ("a",), ("a", "b"))),
    importance=st.floats(0, 1),
    confidence=st.none() | st.floats(0, 1),
    extra=st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9)),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(JSON, LABELS), min_size=1, max_size=6), st.booleans())
def test_archiving_and_recalling_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[object, Labels]], compress: bool
) -> None:
    """On values, labels, creation times and deadlines; totals come back as they were."""
    clock = ManualClock()
    folder = tmp_path_factory.mktemp("archive")
    filler = "again " * 300 if compress else "".join(chr(33 + n * 7 % 90) for n in range(400))
    with serving("sqlite://", str(folder), clock) as services:
        for n, (one, labels) in enumerate(given_):
            services.memory.put(NS, f"k{n}", [one, filler * (1 + n % 2)], labels=labels)
        before = [services.memory.read(NS, f"k{n}") for n in range(len(given_))]
        stats = services.memory.stats()
        archive_everything(services)
        assert services.verify_store().ok
        services.recall("**")
        assert services.verify_store().ok
        for n, record in enumerate(before):
            after = services.memory.read(NS, f"k{n}")
            assert record is not None
            assert after is not None
            same = {"dot": after.dot, "updated_at": after.updated_at}
            assert after == record.model_copy(update=same)
        again = services.memory.stats()
        assert (again.records, again.archived) == (stats.records, stats.archived)
        assert [tier.records for tier in again.tiers] == [tier.records for tier in stats.tiers]
