"""A full backup end to end, in a folder, in memory and on S3; and no secret anywhere."""

from __future__ import annotations

import logging
from pathlib import Path

import fsspec
import pytest

from memtend.backup import FindingKind, ManifestName, Repository, take_full, verify_repository
from memtend.clock import ManualClock
from memtend.codec.segment import decode
from memtend.errors import (
    MemtendError,
    NoBackup,
    RepositoryForeign,
    TargetDenied,
    TargetUnavailable,
)
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import check_row, made_snapshot, row
from tests.fixtures.s3 import S3Server

CANARY = "canary/SECRET+key0123456789"


@pytest.fixture(params=["local", "memory", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return open_target(str(tmp_path / "backups"), ManualClock())
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        return open_target("memory://backups", ManualClock())
    return open_target(request.getfixturevalue("s3_url"), ManualClock())


def test_a_backup_is_whole_and_holds_every_row(target: ObjectStore) -> None:
    clock = ManualClock()
    snapshot = made_snapshot(2_000)

    report = take_full(
        snapshot, target, clock, check_row=check_row, who="op", why="test", program="0"
    )
    verified = verify_repository(
        target, clock, check_row=check_row, deep=True, head=report.manifest
    )

    assert verified.ok
    assert verified.findings == ()
    assert verified.whole == (report.manifest,)
    assert verified.rows == report.rows + report.log_rows == 2_200
    assert verified.root == report.root
    repository = Repository.open(target)
    name = ManifestName.parse(report.manifest)
    assert name is not None
    manifest = repository.get_manifest(name)
    stored = [
        one for ref in manifest.segments for one in decode(repository.get_object(ref.object))[1]
    ]
    assert stored == [*snapshot.stored, *snapshot.logged]
    assert manifest.store.vv == snapshot.state.vv
    assert sum(count.rows for count in manifest.counts.values()) == 2_000


def test_a_second_backup_writes_only_what_changed(target: ObjectStore) -> None:
    clock = ManualClock()
    first = take_full(made_snapshot(500), target, clock, check_row=check_row)
    clock.advance(60_000)
    second = take_full(made_snapshot(500), target, clock, check_row=check_row)

    assert (second.segments_new, second.written_bytes) == (0, 0)
    assert (second.parent, second.number, second.root) == (first.manifest, 2, first.root)
    verified = verify_repository(target, clock, check_row=check_row, deep=True)
    assert verified.whole == (first.manifest, second.manifest)


def test_an_empty_store_has_a_backup(target: ObjectStore) -> None:
    report = take_full(made_snapshot(0), target, ManualClock(), check_row=check_row)
    assert report.segments == 0
    assert verify_repository(target, ManualClock(), check_row=check_row, deep=True).ok


def test_an_empty_target_holds_no_backup(target: ObjectStore) -> None:
    with pytest.raises(NoBackup):
        verify_repository(target, ManualClock(), check_row=check_row)


def test_a_full_folder_of_something_else_is_left_alone(target: ObjectStore) -> None:
    target.put_if_absent("photos/cat.jpg", b"meow")
    with pytest.raises(RepositoryForeign):
        take_full(made_snapshot(5), target, ManualClock(), check_row=check_row)
    assert [info.name for info in target.list()] == ["photos/cat.jpg"]


def test_a_damaged_row_is_left_out_and_named(target: ObjectStore) -> None:
    bad = row("agent-9/memory", "zz", b"value")._replace(value=b"other")
    sound = made_snapshot(20)
    snapshot = sound._replace(stored=(*sound.stored, bad))

    report = take_full(snapshot, target, ManualClock(), check_row=check_row)

    assert (report.rows, report.damaged_rows, report.damaged) == (20, 1, ("agent-9/memory/zz",))
    assert verify_repository(target, ManualClock(), check_row=check_row, deep=True).ok


def test_a_lost_head_is_named_and_stays_visible(target: ObjectStore) -> None:
    clock = ManualClock()
    first = take_full(made_snapshot(20), target, clock, check_row=check_row)
    second = take_full(made_snapshot(30), target, clock, check_row=check_row)
    target.delete(second.manifest)
    assert verify_repository(target, clock, check_row=check_row).ok  # nobody knows better
    assert not verify_repository(target, clock, check_row=check_row, head=second.manifest).ok

    third = take_full(made_snapshot(30), target, clock, check_row=check_row, head=second.manifest)

    assert (third.parent, third.number) == (second.manifest, 3)
    assert second.manifest in third.notes[0]
    verified = verify_repository(target, clock, check_row=check_row, deep=True)
    assert [one.kind for one in verified.findings] == [FindingKind.MANIFEST_MISSING]
    assert verified.whole == (first.manifest, third.manifest)


def test_no_secret_is_in_any_log_error_or_report(
    s3_server: S3Server,
    s3_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the right key nor a wrong one, at the most talkative level of every library."""
    caplog.set_level(logging.DEBUG)
    clock = ManualClock()
    said = []
    target = open_target(s3_url, clock)
    report = take_full(made_snapshot(50), target, clock, check_row=check_row)
    said += [repr(target), report.model_dump_json()]
    verified = verify_repository(target, clock, check_row=check_row, deep=True)
    said.append(verified.model_dump_json())

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    said.append(_refusal(TargetDenied, s3_url))
    options = {"key": "0123456789", "secret": CANARY}
    said.append(_refusal(TargetDenied, s3_url, **options))
    nowhere = {"endpoint_url": "http://127.0.0.1:9"}
    said.append(_refusal(TargetUnavailable, s3_url, **options, **nowhere))

    everything = "\n".join([*said, caplog.text])
    assert CANARY not in everything
    assert s3_server.secret_key not in everything


def _refusal(kind: type[MemtendError], url: str, **options: object) -> str:
    target = open_target(url, ManualClock(), options=options, sleep=lambda _: None)
    with pytest.raises(kind) as caught:
        take_full(made_snapshot(5), target, ManualClock(), check_row=check_row)
    assert caught.value.__cause__ is None
    return f"{caught.value} {caught.value.facts} {target!r} {caught.getrepr()}"
