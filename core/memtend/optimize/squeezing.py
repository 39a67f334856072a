"""What compressing values again would save, judged by samples of each kind; and the doing of it.

A dictionary is judged by values that it was not trained on, against what the kind has now, at the
same level: what it saves is then its own doing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from memtend.codec.compress import Codec, compress
from memtend.codec.envelope import content_of
from memtend.limits import DICTIONARY_BYTES, DICTIONARY_SAMPLES_MIN
from memtend.limits_upkeep import (
    COMPRESS_LEVEL,
    COMPRESS_SAMPLES,
    COMPRESS_SAVES_MIN,
    TRAIN_BYTES_MAX,
    TRAIN_SAMPLES_MAX,
)
from memtend.model.policy import Compression
from memtend.optimize.plan import Squeezable, Trainable
from memtend.optimize.thinning import Thinner
from memtend.slices import Slices
from memtend.store import recompressing
from memtend.store.opened import readable
from memtend.store.restating import Restated, Squeezed

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.stored import StoredRow
    from memtend.store.store import Store

Rule = Callable[[str, str], Compression]
"""What the policy of a namespace and key says."""
Known = Mapping[str, tuple[int, Any]]
"""The newest dictionary of each kind: its number and itself."""

_PAGE: Final = 200
_JUDGED: Final = 200


class Kind(NamedTuple):
    """The values of one kind that are or may be compressed, and a sample of their numbers."""

    kind: str
    rows: int
    size: int
    sample: list[int]


def kinds(store: Store, rule: Rule, threshold: int) -> list[Kind]:
    """Where a policy lets values be compressed; `threshold` is the least that any policy has."""
    rows: dict[str, int] = {}
    sizes: dict[str, int] = {}
    samples: dict[str, Thinner[int]] = {}
    for one in recompressing.heavy(store, threshold):
        said = rule(one.namespace, one.key)
        if not said.enabled or (one.codec == Codec.RAW and one.size < said.threshold_bytes):
            continue
        rows[one.kind] = rows.get(one.kind, 0) + 1
        sizes[one.kind] = sizes.get(one.kind, 0) + one.size
        samples.setdefault(one.kind, Thinner(TRAIN_SAMPLES_MAX)).add(one.seq)
    return [Kind(kind, rows[kind], sizes[kind], samples[kind].kept) for kind in sorted(rows)]


def squeezable(store: Store, kind: Kind, rule: Rule, known: Known) -> Squeezable:
    """By how much its values would become smaller with what there is now."""
    judged = Thinner[int](COMPRESS_SAMPLES)
    for seq in kind.sample:
        judged.add(seq)
    before = after = 0
    for row, _, text in readable(store, judged.kept):
        before += len(row.body) + len(row.value)
        smaller = _squeezed(row, text, rule, known.get(kind.kind))
        after += len(row.body) + len(row.value if smaller is None else smaller.data)
    share = 1 - after / before if before else 0.0
    return Squeezable(kind.kind, kind.rows, kind.size, share)


def trainable(store: Store, kind: Kind, known: Known) -> Trainable | None:
    """What a new dictionary would save; None where there are too few values for one."""
    import zstandard  # noqa: PLC0415

    # By their hashes: in the order of writing, every other one could be of another sort.
    texts = sorted(samples(store, kind), key=content_of)
    judged, taught = texts[: min(len(texts) // 4, _JUDGED)], texts[len(texts) // 4 :]
    if len(taught) < DICTIONARY_SAMPLES_MIN:
        return None
    try:
        made = zstandard.train_dictionary(DICTIONARY_BYTES, list(taught))
    except zstandard.ZstdError:
        return None  # they have nothing in common
    has = known.get(kind.kind, (0, None))[1]
    before = sum(min(len(text), len(compress(text, COMPRESS_LEVEL, has))) for text in judged)
    after = sum(min(len(text), len(compress(text, COMPRESS_LEVEL, made))) for text in judged)
    share = max(0.0, 1 - after / before) if before else 0.0
    pays = share * kind.size > 2 * DICTIONARY_BYTES
    return Trainable(kind.kind, kind.rows, kind.size, share if pays else 0.0)


def samples(store: Store, kind: Kind) -> list[bytes]:
    """Texts of its values, from all over, as many as a dictionary needs at most."""
    texts: list[bytes] = []
    total = 0
    for start in range(0, len(kind.sample), _PAGE):
        for _, _, text in readable(store, kind.sample[start : start + _PAGE]):
            if total + len(text) > TRAIN_BYTES_MAX and texts:
                return texts
            texts.append(text)
            total += len(text)
    return texts


def squeeze(
    store: Store,
    names: Sequence[str],
    rule: Rule,
    known: Known,
    *,
    threshold: int,
    upto: int,
    lease: Lease,
    slices: Slices,
) -> Restated:
    """Write all values of these kinds again that become smaller by it, a slice at a time.

    What was written since `upto` is left alone, and with it what was written again already: a run
    that was cut off is finished by the next one.
    """
    rows = before = after = 0
    for page in recompressing.pages(store, names, threshold, upto, _PAGE):
        made: dict[int, Squeezed] = {}
        for row, body, text in readable(store, page):
            smaller = _squeezed(row, text, rule, known.get(body.kind))
            if smaller is not None:
                made[row.seq] = smaller
        for part in slices.of(list(made)):
            some = {seq: made[seq] for seq in part}
            done = slices.timed(recompressing.recompress, store, some, lease=lease)
            rows, before, after = (
                rows + done.rows, before + done.before_bytes, after + done.after_bytes
            )  # fmt: skip
    return Restated(rows, before, after)


def _squeezed(
    row: StoredRow, text: bytes, rule: Rule, known: tuple[int, Any] | None
) -> Squeezed | None:
    """A form that is enough smaller than the stored one, if the policy lets there be one."""
    said = rule(row.namespace, row.key)
    if not said.enabled or len(text) < said.threshold_bytes:
        return None
    number, dictionary = known or (None, None)
    data = compress(text, max(said.level, COMPRESS_LEVEL), dictionary)
    if len(data) > (1 - COMPRESS_SAVES_MIN) * len(row.value):
        return None
    return Squeezed(data, Codec.ZSTD if number is None else Codec.ZSTD_DICT, number)
