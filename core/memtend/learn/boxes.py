"""Zip files that are the same whenever their contents are, and that may come from anybody.

Written with sorted names and one date. Read only after the directory has been looked at: so many
entries, plain names, no name twice, no more bytes than there may be, nothing beside the entries.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from memtend.errors import ModelRefused
from memtend.limits_learning import (
    MODEL_BYTES_MAX,
    MODEL_ENTRIES_MAX,
    MODEL_UNPACKED_MAX,
)

_DATE: Final = (1980, 1, 1, 0, 0, 0)
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_]+/)*[A-Za-z0-9_]+\.[a-z]{3,5}")
_NAME_CHARS: Final = 200
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1


def boxed(entries: Mapping[str, bytes]) -> bytes:
    """Equal entries, equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as box:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o600 << 16
            box.writestr(info, entries[name], compresslevel=6)
    return out.getvalue()


def unboxed(name: str, data: bytes) -> dict[str, bytes]:
    """What is in it; raises `ModelRefused`."""
    if len(data) > MODEL_BYTES_MAX:
        raise ModelRefused(name=name, why=f"it has more than {MODEL_BYTES_MAX:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as box:
            infos = box.infolist()
            _look(name, infos)
            # No more than an entry's declared size is ever unpacked, and its sum is checked.
            return {info.filename: box.read(info) for info in infos}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        RuntimeError,
        OSError,
    ) as error:
        raise ModelRefused(name=name, why=f"it is damaged ({error})") from error


def _look(name: str, infos: list[zipfile.ZipInfo]) -> None:
    def refuse(why: str) -> None:
        raise ModelRefused(name=name, why=why)

    if not 0 < len(infos) <= MODEL_ENTRIES_MAX:
        refuse(f"it has {len(infos):,} entries")
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        refuse("an entry is there twice")
    for info in infos:
        if len(info.filename) > _NAME_CHARS or not _NAME.fullmatch(info.filename):
            refuse("an entry has a name that is no plain name")
        if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
            refuse(f"{info.filename} is compressed in a way that is not taken")
    if sum(info.file_size for info in infos) > MODEL_UNPACKED_MAX:
        refuse(f"it would have more than {MODEL_UNPACKED_MAX:,} bytes when unpacked")
