"""The files of models: `<store>/<model>/<name>` below `MEMTEND_MODELS_URL`.

They are written before the registry names them, so a crash leaves files that nothing names, never a
model without its files. What is read is known by its length and its SHA-256 before anybody looks
into it. The registry travels with backups and the files do not: a store that was restored elsewhere
may have models whose files it lacks, and then goes on without them.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import orjson

from memtend.errors import ModelDamaged, ObjectDamaged, ObjectMissing
from memtend.limits_learning import MODEL_BYTES_MAX, MODEL_ORPHAN_MS
from memtend.model.learned import ModelEntry, ModelFileFacts
from memtend.objects import open_target

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.objects import ObjectStore
    from memtend.store.store import Store


_ARCHIVE: Final = b"PK"
_PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ModelFiles:
    """Those of one store. Nothing is read or written before it is asked for."""

    def __init__(self, target: ObjectStore, store_id: str, clock: Clock) -> None:
        self._target = target
        self._folder = f"{store_id}/"
        self._clock = clock
        self.url = target.url

    @classmethod
    def at(cls, url: str, store_id: str, clock: Clock) -> ModelFiles:
        return cls(open_target(url, clock), store_id, clock)

    def write(self, model_id: str, files: Mapping[str, bytes]) -> tuple[ModelFileFacts, ...]:
        """Keep the files of a new model; what is returned belongs into its entry."""
        facts = []
        for name, data in sorted(files.items()):
            path = self._path(model_id, name)
            if not self._target.put_if_absent(path, data) and self._differs(path, data):
                why = "another file has its name"
                raise ModelDamaged(model=model_id, name=name, why=why)
            known = sha256(data).hexdigest()
            facts.append(ModelFileFacts(name=name, bytes=len(data), sha256=known))
        return tuple(facts)

    def read(self, entry: ModelEntry, name: str) -> bytes:
        """Exactly the bytes that were saved; raises `ModelDamaged`."""
        facts = next((one for one in entry.files if one.name == name), None)
        if facts is None:
            raise _damaged(entry, name, "the registry names no such file")
        if facts.bytes > MODEL_BYTES_MAX:
            raise _damaged(entry, name, f"it is larger than {MODEL_BYTES_MAX:,} bytes")
        try:
            data = self._target.get(self._path(entry.model_id, name), facts.bytes)
        except ObjectMissing as error:
            raise _damaged(entry, name, f"it is not at {self.url}") from error
        except ObjectDamaged as error:
            raise _damaged(entry, name, f"it is longer than {facts.bytes:,} bytes") from error
        if len(data) != facts.bytes:
            why = f"it has {len(data):,} bytes instead of {facts.bytes:,}"
            raise _damaged(entry, name, why)
        if sha256(data).hexdigest() != facts.sha256:
            raise _damaged(entry, name, "its hash does not match")
        return data

    def missing(self, entry: ModelEntry) -> tuple[str, ...]:
        """Names of files that are not there, or are of another length."""
        found = {one.name: one.size for one in self._target.list(self._path(entry.model_id))}
        return tuple(
            one.name
            for one in entry.files
            if found.get(self._path(entry.model_id, one.name)) != one.bytes
        )

    def altered(self, entry: ModelEntry) -> tuple[str, ...]:
        """As `missing`, and those of other bytes: all of them are read."""
        return tuple(one.name for one in entry.files if not self._is_whole(entry, one.name))

    def remove(self, model_ids: Iterable[str]) -> int:
        """Remove all files of models that the registry no longer names; how many there were."""
        names = [
            one.name for model_id in model_ids for one in self._target.list(self._path(model_id))
        ]
        for name in names:
            self._target.delete(name)
        return len(names)

    def orphans(self, known: Iterable[str]) -> list[str]:
        """Models of which there are files and no entry, for so long that nobody is about to write
        it: what a crash has left."""
        there = set(known)
        until_ms = self._clock.now_ms() - MODEL_ORPHAN_MS
        young, found = set(there), set()
        for one in self._target.list(self._folder):
            model_id = one.name.removeprefix(self._folder).partition("/")[0]
            found.add(model_id)
            if one.modified_ms is None or one.modified_ms > until_ms:
                young.add(model_id)
        return sorted(found - young)

    def naming(self, name: str) -> list[str]:
        """Models whose files contain a name as a word, whether the registry knows them or not.

        So do those of which it cannot be told: a file that is too large, or no archive that opens.
        """
        words, found = _spelt(name), set()
        for one in self._target.list(self._folder):
            model_id = one.name.removeprefix(self._folder).partition("/")[0]
            if model_id not in found and self._says(one.name, one.size, words):
                found.add(model_id)
        return sorted(found)

    def _says(self, path: str, size: int, words: re.Pattern[bytes]) -> bool:
        if size > MODEL_BYTES_MAX:
            return True
        data = self._target.get(path, size)
        if not data.startswith(_ARCHIVE):
            return words.search(data) is not None
        with suppress(zipfile.BadZipFile, zlib.error, EOFError):
            archive = zipfile.ZipFile(io.BytesIO(data))
            parts = archive.infolist()
            plain = all(one.compress_type in _PLAIN and not one.flag_bits & 1 for one in parts)
            if plain and sum(one.file_size for one in parts) <= MODEL_BYTES_MAX:
                return any(words.search(archive.read(one)) for one in parts)
        return True

    def _is_whole(self, entry: ModelEntry, name: str) -> bool:
        try:
            self.read(entry, name)
        except ModelDamaged:
            return False
        return True

    def _differs(self, path: str, data: bytes) -> bool:
        """From what lies there: a repeated call finds its own bytes."""
        try:
            return self._target.get(path, len(data)) != data
        except ObjectDamaged:
            return True

    def _path(self, model_id: str, name: str = "") -> str:
        return f"{self._folder}{model_id}/{name}"


def files_of(store: Store) -> ModelFiles:
    """Those of an open store, where whoever opened it said they are, else where settings say."""
    url = store.models_url
    if url is None:
        from memtend.settings import Settings  # noqa: PLC0415

        url = Settings().models_url
    return ModelFiles.at(url, store.meta().store_id, store.clock)


def _spelt(name: str) -> re.Pattern[bytes]:
    """As text, as JSON, and as arrays of texts hold it."""
    fixed = name.partition("*")[0].rstrip("/")
    texts = {fixed.encode(), json.dumps(fixed)[1:-1].encode(), orjson.dumps(fixed)[1:-1]}
    words = b"|".join(re.escape(text) for text in sorted(texts))
    wide = re.escape(fixed.encode("utf-32-le"))
    return re.compile(rb"(?<!\w)(?:" + words + rb")(?!\w)|" + wide)


def _damaged(entry: ModelEntry, name: str, why: str) -> ModelDamaged:
    return ModelDamaged(model=entry.model_id, name=name, why=why)
