"""What to look for in the files after an erasure, taken down before anything is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.codec.compress import Codec
from memtend.codec.envelope import codec_of
from memtend.limits import ERASE_TEXT_BYTES_MAX, ERASE_TEXT_BYTES_MIN, ERASE_TEXTS_MAX
from memtend.model.subject import Subject
from memtend.store.messages_erasing import bodies_of, messages_of

if TYPE_CHECKING:
    from memtend.store.store import Store


class Sample(NamedTuple):
    """Texts long enough to be told from chance. It is held in memory and nowhere else."""

    names: tuple[bytes, ...]
    values: tuple[bytes, ...]

    @property
    def texts(self) -> tuple[bytes, ...]:
        return self.names + self.values

    def gives_away(self, text: str) -> bool:
        """Whether a text contains one of the names."""
        data = text.encode()
        return any(name in data for name in self.names)


def sample(store: Store, subject: Subject, seqs: Sequence[int]) -> Sample:
    """Names of the subject, names of some of its records, and parts of some uncompressed values."""
    names = {*_names_of(subject)}
    values: set[bytes] = set()
    chosen = list(seqs[:: max(1, -(-len(seqs) // ERASE_TEXTS_MAX))])
    for row in store.engine.read("by_seq", (store.engine.array(chosen),)):
        names.add(row[2])
        if codec_of(row[7]) == Codec.RAW:
            values.add(_middle(bytes(row[14])))
    values |= set(bodies_of(store, messages_of(store, subject)))
    texts = sorted(name.encode()[-ERASE_TEXT_BYTES_MAX:] for name in names)
    return Sample(_long(texts), _long(sorted(values)))


def _names_of(subject: Subject) -> Iterator[str]:
    yield subject.name.removesuffix("/**").partition("*")[0].rstrip("/")
    if subject.namespace is not None:
        yield f"{subject.namespace}/{subject.name}"


def _middle(value: bytes) -> bytes:
    """The middle tells values apart better than the beginning, where equal field names stand."""
    start = max(0, (len(value) - ERASE_TEXT_BYTES_MAX) // 2)
    return value[start : start + ERASE_TEXT_BYTES_MAX]


def _long(texts: Sequence[bytes]) -> tuple[bytes, ...]:
    long = [text for text in texts if len(text) >= ERASE_TEXT_BYTES_MIN]
    return tuple(long[:ERASE_TEXTS_MAX])
