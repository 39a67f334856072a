"""Hostile deltas: refused with a typed error and without a trace, or taken in whole (9.6)."""

from __future__ import annotations

import resource
import shutil
from collections import Counter
from collections.abc import Iterator

import ormsgpack
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from memtend.codec.delta import MAGIC
from memtend.errors import DeltaRefused, MemtendError
from memtend.formats import DELTA_FORMAT
from memtend.limits import DELTA_PAGE_BYTES_MAX, MIB
from memtend.store.sync import apply
from tests.crash.shim import fast_folder, in_child
from tests.laws.hostile import PREFIX, closed, opened, scrambled, tampered
from tests.laws.target import Target

EXAMPLES = 1_000


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("memtend.codec.delta.DELTA_PAGE_BYTES", 400)
        patch.setattr("memtend.store.ballast.BALLAST_BYTES", 16_384)
        folder = fast_folder("hostile")
        made = Target(folder)
        yield made
        made.close()
        shutil.rmtree(folder)


def test_what_is_tampered_with_is_a_delta(target: Target) -> None:
    """Taken apart and put together again it is the same, so each refusal is for the change."""
    for pages in target.deltas:
        assert len(pages) > 3
        again = closed(opened(pages))
        assert opened(again) == opened(pages)
        assert target.throw(again) == ""


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_tampered_fields(target: Target, data: st.DataObject) -> None:
    target.throw(tampered(data, data.draw(st.sampled_from(target.deltas))))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_scrambled_bytes(target: Target, data: st.DataObject) -> None:
    """Nothing but a page that is not needed can be taken for the delta that it was."""
    pages = data.draw(st.sampled_from(target.deltas))
    changed = scrambled(data, pages)
    assert target.throw(changed) or changed == pages


def page_of(frame: bytes, said_bytes: int) -> bytes:
    header = ormsgpack.packb((0, True, bytes(16), said_bytes, None))
    digest = xxh3_128_digest(header + frame)
    return PREFIX.pack(MAGIC, DELTA_FORMAT, len(header), digest) + header + frame


@pytest.mark.parametrize("says_so", [True, False], ids=["told", "hidden"])
def test_bomb(target: Target, says_so: bool) -> None:
    """A page that grows a thousandfold is refused before it has grown."""
    maker = zstandard.ZstdCompressor().compressobj()
    frame = b"".join(maker.compress(bytes(MIB)) for _ in range(512)) + maker.flush()
    page = page_of(frame, 512 * MIB if says_so else DELTA_PAGE_BYTES_MAX)

    def throw() -> Iterator[int]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(DeltaRefused):
            apply(target.memory.store, [page])
        yield (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024

    code, [grown_mib] = in_child(throw)
    assert (code, grown_mib < 2 * DELTA_PAGE_BYTES_MAX // MIB) == (0, True)


def test_no_pages_and_foreign_things(target: Target) -> None:
    kinds: Counter[str] = Counter()
    for pages in ([], [b""], [b"{}"], [bytes(99)], ["text"], [None], [MAGIC], [MAGIC * 20]):
        kinds[target.throw(pages)] += 1  # type: ignore[arg-type]
    assert kinds == {"DeltaRefused": 8}
    assert issubclass(DeltaRefused, MemtendError)
