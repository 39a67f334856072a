"""Model files: equal models are equal bytes, and what is forged is refused before it runs."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from typing import Any

import numpy as np
import pytest

from memtend.errors import ModelRefused
from memtend.learn.boxes import boxed, unboxed
from memtend.learn.modelfile import pack, unpack_estimators, unpack_served
from memtend.learn.npy import array_bytes
from memtend.learn.outcomes import OutcomeTable
from memtend.learn.recommender import fit_recommender
from memtend.learn.servedfile import read_state, write_state
from memtend.learn.state import State, equal
from memtend.limits_learning import MODEL_BYTES_MAX
from memtend.model.learnpolicy import LearnPolicy
from tests.fixtures.outcomes import outcomes
from tests.unit.forging import FOREST, GOOD, TREE, X

STATE = State({"format": 1, "parts": {}}, {"a/b": np.arange(6.0).reshape(2, 3), "c": np.array([1])})
SERVED = write_state(STATE)


def test_what_was_written_comes_back_and_predicts_the_same() -> None:
    found = unpack_estimators(GOOD, sha256=hashlib.sha256(GOOD).hexdigest())
    assert np.array_equal(found["forest"].predict(X), FOREST.predict(X))
    assert np.array_equal(found["tree"].predict(X), TREE.predict(X))
    assert equal(read_state("x", SERVED), STATE)
    with np.load(io.BytesIO(SERVED)) as numpys_own:
        assert np.array_equal(numpys_own["arrays/a/b"], STATE.arrays["a/b"])


FIT = """
from tests.unit.test_learn_modelfile import sums
print(sums())
"""


def sums() -> dict[str, str]:
    policy = LearnPolicy(seed=3, outcomes_min=60)
    files = pack(fit_recommender(OutcomeTable.of(outcomes(90), policy), policy))
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def test_two_processes_write_the_same_bytes() -> None:
    """Addresses and the order of sets differ between them."""
    path = os.pathsep.join([".", *sys.path])
    said = subprocess.run(
        [sys.executable, "-c", FIT],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.strip() == str(sums())
    assert "model.skops" in said


def unsafe_arrays() -> dict[str, bytes]:
    def saved(array: Any) -> bytes:
        out = io.BytesIO()
        np.save(out, array, allow_pickle=True)
        return out.getvalue()

    plain = array_bytes(np.arange(4.0))
    return {
        "objects": saved(np.array([{"a": 1}, None], dtype=object)),
        "records": saved(np.zeros(2, dtype=[("a", "<f8"), ("b", "<i8")])),
        "text": saved(np.array(["a", "b"])),
        "long": saved(np.zeros(2, dtype=np.longdouble)),
        "complex": saved(np.zeros(2, dtype=complex)),
        "columns first": saved(np.asfortranarray(np.ones((3, 2)))),
        "claims more": plain.replace(b"(4,)", b"(9999999,)").replace(b" " * 7 + b"\n", b"\n"),
        "claims less": plain.replace(b"(4,)", b"(3,)"),
        "cut off": plain[:-3],
        "code": plain.replace(b"(4,)", b"open('/tmp/x', 'w')"),
        "version 3": plain.replace(b"NUMPY\x01", b"NUMPY\x03"),
        "empty": b"",
    }


@pytest.mark.parametrize("name", sorted(unsafe_arrays()))
def test_arrays_that_are_not_plain_numbers_are_refused(name: str) -> None:
    entries = unboxed("x", SERVED)
    with pytest.raises(ModelRefused):
        read_state("x", boxed({**entries, "arrays/c.npy": unsafe_arrays()[name]}))


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as box:
        for name, data in entries:
            box.writestr(name, data)
    return out.getvalue()


BOXES = {
    "empty": b"",
    "no zip": b"PK\x03\x04 but not for long",
    "no entries": zipped(),
    "traversal": zipped(("../../etc/cron.d/x.npy", b"")),
    "absolute": zipped(("/etc/x.npy", b"")),
    "backslash": zipped(("a\\b.npy", b"")),
    "two of one name": zipped(("a.npy", b"1"), ("a.npy", b"2")),
    "too many": zipped(*((f"a{n}.npy", b"") for n in range(20_001))),
    "bomb": zipped(("a.npy", bytes(5 * 10**6)), method=zipfile.ZIP_BZIP2),
    "cut off": SERVED[:-30],
    "altered": SERVED.replace(b"parts", b"partz") if b"parts" in SERVED else SERVED[:60] + b"!!"
    + SERVED[62:],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", sorted(BOXES))
def test_a_box_that_is_not_as_we_write_it_is_refused(name: str) -> None:
    with pytest.raises(ModelRefused):
        read_state("x", BOXES[name])


def test_a_bomb_is_refused_by_its_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gigabyte of zeros packs into one megabyte; four entries would be too much to unpack."""
    monkeypatch.setattr("memtend.learn.boxes.MODEL_UNPACKED_MAX", 10**6)
    bomb = zipped(("a.npy", bytes(2 * 10**6)), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelRefused, match="when unpacked"):
        unboxed("x", bomb)
    monkeypatch.setattr("memtend.learn.boxes.MODEL_BYTES_MAX", 100)
    with pytest.raises(ModelRefused, match="more than 100 bytes"):
        unboxed("x", bomb)
    assert MODEL_BYTES_MAX > 10**8


def test_an_entry_never_unpacks_to_more_than_it_says() -> None:
    bomb = bytearray(zipped(("a.npy", bytes(10**6)), method=zipfile.ZIP_DEFLATED))
    size = (10**6).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (16).to_bytes(4, "little")
    with pytest.raises(ModelRefused, match="damaged"):
        unboxed("x", bytes(bomb))


def test_another_file_than_the_registered_one_is_not_opened() -> None:
    known = hashlib.sha256(GOOD).hexdigest()
    with pytest.raises(ModelRefused, match="SHA-256"):
        unpack_estimators(GOOD + b"\n", sha256=known)
    with pytest.raises(ModelRefused, match="SHA-256"):
        unpack_served(SERVED, sha256=known)


@pytest.mark.parametrize(
    "meta", [{}, {"format": 99}, {"format": 1}, {"format": 1, "parts": {"encoder": 7}}]
)
def test_what_is_no_model_is_refused(meta: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        unpack_served(write_state(State(meta, {})))


def test_flat_trees_that_lead_nowhere_are_refused() -> None:
    arrays: dict[str, Any] = {
        "t/children": np.array([1, 2, 1, 1, 2, 9], dtype=np.int32),
        "t/features": np.zeros(3, dtype=np.int32),
        "t/roots": np.zeros(1, dtype=np.int32),
        "t/depth": np.ones(1, dtype=np.int64),
    }
    with pytest.raises(ModelRefused, match="leads to"):
        read_state("x", write_state(State({}, arrays)))
    arrays["t/children"][5] = 2
    assert equal(read_state("x", write_state(State({}, arrays))), State({}, arrays))
