"""Trained zstd dictionaries: small JSON values of one kind share most of their text.

A dictionary is never changed or deleted while a row may need it; a new one gets a new number, and
each row's body says which it was written with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from memtend.errors import InvalidValue
from memtend.limits import DICTIONARY_BYTES, DICTIONARY_SAMPLES_MIN
from memtend.store.meta import crc_of

if TYPE_CHECKING:
    from memtend.store.store import Store


def train(store: Store, kind: str, texts: Iterable[bytes], *, actor: str) -> int:
    """Train on canonical JSON texts of one kind; returns the number of the new dictionary.

    From then on values of that kind are compressed with it. Raises `InvalidValue` where the
    samples are too few, too short or too unlike for a dictionary to help.
    """
    import zstandard  # noqa: PLC0415 — most processes never train

    samples: list[bytes | bytearray | memoryview[int]] = list(texts)
    if len(samples) < DICTIONARY_SAMPLES_MIN:
        why = f"{len(samples)} samples are fewer than {DICTIONARY_SAMPLES_MIN}"
        raise InvalidValue(name=f"dictionary for {kind}", why=why)
    try:
        data = zstandard.train_dictionary(DICTIONARY_BYTES, samples).as_bytes()
    except zstandard.ZstdError as error:
        raise InvalidValue(name=f"dictionary for {kind}", why=str(error)) from error
    with store.change(actor) as (change, _):
        row = (kind, data, change.now_ms)
        [(number,)] = change.tx.fetch("add_dictionary", (*row, crc_of(row)))
        change.config += 1
        change.note("dictionary", f"{number} for {kind}, {len(samples)} samples")
    return int(number)


def newest(store: Store) -> dict[str, tuple[int, Any]]:
    """The dictionary that values of each kind are written with: its number and itself."""
    rows = store.engine.read("newest_dictionaries")
    return {kind: (number, store.dictionary(number)) for kind, number in rows}
