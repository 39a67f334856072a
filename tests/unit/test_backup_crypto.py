"""Encrypted repositories: what lies in them, who opens them, and how the key is changed."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.backup import Repository, take_full, verify_repository
from memtend.backup.crypto import FOLDER, rewrap
from memtend.backup.identity import Identity
from memtend.backup.layers import open_state
from memtend.clock import ManualClock
from memtend.codec.compress import Damaged
from memtend.codec.crypto import OVERHEAD_BYTES, Cipher, Kind, UserKey
from memtend.errors import BackupKeyRefused, InvalidSettings, MemtendError, RepositoryForeign
from memtend.objects import ObjectStore, open_target
from tests.fixtures.backups import FailingStore, Fails, MadeSnapshot, check_row, made_snapshot, row

RAW, OTHER = UserKey("5a" * 32), UserKey("c3" * 32)
PHRASE = UserKey("a phrase of some length")
CIPHER = Cipher("1" * 32, "2" * 32, bytes(range(32)))
CANARY = "canary-0123456789"
SECRETS = MadeSnapshot(
    tuple(
        row(f"{CANARY}/space", f"{CANARY}-key-{n:02d}", f"{CANARY} {n}".encode()) for n in range(50)
    )
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> ObjectStore:
    return open_target(str(tmp_path / "backups"), clock)


@given(st.binary(max_size=500))
def test_what_is_sealed_is_opened_and_the_same_each_time(plain: bytes) -> None:
    sealed = CIPHER.seal(Kind.SEGMENT, plain)
    assert CIPHER.open(Kind.SEGMENT, sealed) == plain
    assert CIPHER.seal(Kind.SEGMENT, plain) == sealed
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert sealed[:9] == b"MEMTENC\0\x01"


@given(st.binary(max_size=60), st.data())
def test_no_bit_can_be_changed(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(Kind.SEGMENT, plain))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Damaged):
        CIPHER.open(Kind.SEGMENT, bytes(sealed))
    with pytest.raises(Damaged):
        CIPHER.open(Kind.SEGMENT, bytes(sealed[:at]))


@pytest.mark.parametrize(
    "other",
    [
        Cipher("9" * 32, "2" * 32, bytes(range(32))),
        Cipher("1" * 32, "9" * 32, bytes(range(32))),
        Cipher("1" * 32, "2" * 32, bytes(32)),
    ],
    ids=["of another repository", "under another id", "another key"],
)
def test_nothing_else_opens_it(other: Cipher) -> None:
    sealed = CIPHER.seal(Kind.SEGMENT, b"plain")
    for cipher, kind in ((other, Kind.SEGMENT), (CIPHER, Kind.MANIFEST)):
        with pytest.raises(Damaged):
            cipher.open(kind, sealed)
    assert other.seal(Kind.SEGMENT, b"plain") != sealed
    assert CIPHER.seal(Kind.MANIFEST, b"plain") != sealed


def test_keys_are_not_shown_and_not_pickled() -> None:
    for one in (CIPHER, RAW, PHRASE):
        assert "5a" * 8 not in repr(one)
        assert "phrase" not in repr(one)
        with pytest.raises(TypeError):
            pickle.dumps(one)
    with pytest.raises(InvalidSettings):
        UserKey("too short")


@pytest.mark.parametrize("key", [RAW, PHRASE])
def test_nothing_of_the_content_is_to_be_seen(
    store: ObjectStore, clock: ManualClock, key: UserKey
) -> None:
    report = take_full(SECRETS, store, clock, check_row=check_row, key=key, who=CANARY, why=CANARY)
    assert report.encrypted
    everything = [(info.name, store.get(info.name)) for info in store.list()]
    assert len(everything) > 3
    for name, data in everything:
        assert CANARY not in name
        assert CANARY.encode() not in data
    state = open_state(Repository.open(store, key), report.manifest, check_row=check_row)
    assert tuple(state.rows()) == SECRETS.stored
    assert verify_repository(store, clock, check_row=check_row, key=key, deep=True).ok


def test_the_same_rows_are_stored_once(store: ObjectStore, clock: ManualClock) -> None:
    snapshot = made_snapshot(200)
    first = take_full(snapshot, store, clock, check_row=check_row, key=RAW)
    again = take_full(snapshot, store, clock, check_row=check_row, key=RAW)
    assert first.written_bytes > 0
    assert again.written_bytes == 0


def test_no_key_and_the_wrong_key_are_refused_by_name(
    store: ObjectStore, clock: ManualClock
) -> None:
    take_full(SECRETS, store, clock, check_row=check_row, key=RAW)
    for key, why in ((None, "no key was given"), (OTHER, "not theirs"), (PHRASE, "not theirs")):
        with pytest.raises(BackupKeyRefused, match=why):
            Repository.open(store, key)
        with pytest.raises(BackupKeyRefused):
            take_full(SECRETS, store, clock, check_row=check_row, key=key)
    assert len(list(store.list("manifests/"))) == 1


def test_a_key_does_not_encrypt_what_is_there_already(
    store: ObjectStore, clock: ManualClock
) -> None:
    take_full(SECRETS, store, clock, check_row=check_row)
    report = take_full(SECRETS, store, clock, check_row=check_row, key=RAW)
    assert not report.encrypted
    assert "not encrypted" in report.notes[0]


def test_an_identity_put_in_its_place_does_not_switch_encryption_off(
    store: ObjectStore, clock: ManualClock
) -> None:
    take_full(SECRETS, store, clock, check_row=check_row, key=RAW)
    repo_id = Repository.open(store, RAW).identity.repo_id
    store.delete("memtend.json")
    store.put_if_absent("memtend.json", Identity(repo_id=repo_id).pack())
    with pytest.raises(RepositoryForeign, match="there are keys"):
        take_full(SECRETS, store, clock, check_row=check_row, key=RAW)


def test_an_object_in_the_place_of_a_manifest_is_noticed(
    store: ObjectStore, clock: ManualClock
) -> None:
    take_full(SECRETS, store, clock, check_row=check_row, key=RAW)
    repository = Repository.open(store, RAW)
    segment = next(store.list("objects/"))
    with pytest.raises(Damaged):
        repository.unseal(Kind.MANIFEST, store.get(segment.name))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("old", "new"), [(RAW, OTHER), (RAW, PHRASE)])
def test_a_change_of_key_cut_off_anywhere(
    tmp_path: Path, clock: ManualClock, old: UserKey, new: UserKey, late: bool
) -> None:
    """At least one of the two keys opens it at any moment; repeated, only the new one does."""
    for fail_at in range(1, 100):
        store = open_target(str(tmp_path / str(fail_at)), clock)
        cipher = Repository.create(store, clock, old).cipher
        assert cipher is not None
        try:
            rewrap(FailingStore(store, fail_at, late=late), cipher, old, new, clock)
        except Fails:
            assert opens(store, old) or opens(store, new)
            by = old if opens(store, old) else new
            rewrap(store, cipher, by, new, clock)
        else:
            break
        assert not opens(store, old)
        assert opens(store, new)
        assert len(list(store.list(FOLDER))) >= 1
    assert 5 < fail_at < 99


def opens(store: ObjectStore, key: UserKey) -> bool:
    try:
        Repository.open(store, key)
    except BackupKeyRefused:
        return False
    return True


@pytest.mark.parametrize("late", [False, True])
def test_making_an_encrypted_repository_cut_off_anywhere(
    tmp_path: Path, clock: ManualClock, late: bool
) -> None:
    """Repeated with the key it is made; without the key nobody makes it one in the clear."""
    for fail_at in range(1, 100):
        store = open_target(str(tmp_path / str(fail_at)), clock)
        try:
            Repository.create(FailingStore(store, fail_at, late=late), clock, RAW)
        except Fails:
            pass
        else:
            break
        if next(store.list(FOLDER), None) is not None:
            with pytest.raises(MemtendError):
                Repository.create(store, clock)
        assert Repository.create(store, clock, RAW).cipher is not None
    assert 5 < fail_at < 99
