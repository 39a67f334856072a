"""Tar files from strangers: every format that tools write, nothing extracted, nothing believed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_foreign import IMPORT_FILE_BYTES_MAX, TAR_HEADER_BYTES_MAX
from memtend.migrate.tarstream import Member, TarStream
from memtend.model.unreadable import Unreadable

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = ("a/patterns.json", f"a/{'x' * 90}/{'y' * 90}.json", "é/ü.json")


def tar_of(files: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return raw.getvalue()


def special(name: str, kind: bytes, size: int = 0, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, link
    return info.tobuf(tarfile.GNU_FORMAT)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def all_of(data: bytes, size: int = 1_000) -> list[tuple[Member, bytes]]:
    stream = TarStream(cut(data, size))
    return [(member, stream.read()) for member in stream]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 512, 100_000])
def test_every_format(form: int, size: int) -> None:
    files = {name: name.encode() * 40 for name in NAMES} | {"a/empty.json": b""}
    found = all_of(tar_of(files, form), size)
    assert {member.name: data for member, data in found} == files
    assert not any(member.folder or member.refused for member, _ in found)


def test_what_is_not_read_is_skipped() -> None:
    data = tar_of({"a/1": b"1" * 700, "a/2": b"2"})
    stream = TarStream(cut(data, 100))
    assert [stream.read() if member.name == "a/2" else b"" for member in stream] == [b"", b"2"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"S", "no plain file"),
    ],
)
def test_what_is_no_plain_file_is_refused_by_name(kind: bytes, why: str) -> None:
    data = special("a/x", kind, link="/etc/passwd") + tar_of({"a/y": b"y"})
    [(refused, _), (member, read)] = all_of(data)
    assert refused == Member("a/x", folder=False, refused=why)
    assert (member.name, read) == ("a/y", b"y")


def test_folders_are_only_folders() -> None:
    [(member, _)] = all_of(special("a/", tarfile.DIRTYPE) + bytes(1_024))
    assert member == Member("a/", folder=True, refused=None)


WHOLE = tar_of({"a/1": b"1" * 700, NAMES[1]: b"2"}, tarfile.PAX_FORMAT).rstrip(b"\0")


@pytest.mark.parametrize("end", range(0, len(WHOLE), 64))
def test_what_is_cut_off_anywhere_is_unreadable(end: int) -> None:
    with pytest.raises(Unreadable, match="it ends within"):
        all_of(WHOLE[:end])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"x" * 1_024, "damaged"),
        (special("a", tarfile.GNUTYPE_LONGNAME, TAR_HEADER_BYTES_MAX + 1), "a name in it"),
        (special("a", tarfile.XHDTYPE, 10**9), "a name in it"),
        (special("a", tarfile.XHDTYPE, 9) + b"99 path=x" + bytes(503), "damaged"),
        (special("a", tarfile.XHDTYPE, 12) + b"12 size=-1x\n" + bytes(500), "damaged"),
        (special("a", tarfile.REGTYPE, IMPORT_FILE_BYTES_MAX + 1), "longer than"),
        (special("a", tarfile.REGTYPE, 2**40), "longer than"),
    ],
)
def test_headers_are_not_believed(data: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        all_of(data)


@given(st.binary(max_size=600), st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=4))
def test_anything_is_a_tar_or_unreadable(head: bytes, at: int, patch: bytes) -> None:
    for data in (head, head + WHOLE, WHOLE[:at] + patch + WHOLE[at + len(patch) :]):
        try:
            all_of(data + bytes(1_024))
        except Unreadable:
            continue
