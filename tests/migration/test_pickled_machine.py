"""The machine that reads pickles: all that the data needs, nothing that does something."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.limits_foreign import PICKLE_BYTES_MAX
from memtend.migrate.pickled_values import Writer
from memtend.model.unreadable import Unreadable
from tests.migration.pickles import PROTOCOLS, MemoryItem, MemoryTier, read, restored

zones = st.builds(
    timezone,
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
) | st.sampled_from((UTC, timezone(timedelta(hours=1), "CET")))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ("$set", "$dict", "episodic")
)
fixed = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=300)
    | st.datetimes(timezones=st.none() | zones)
    | st.timedeltas()
    | zones
    | st.sampled_from(MemoryTier)
)
keys = st.recursive(fixed, lambda k: st.frozensets(k, max_size=3) | st.tuples(k, k), max_leaves=4)
values = st.recursive(
    keys | st.sets(keys, max_size=3),
    lambda v: (
        st.lists(v, max_size=3)
        | st.tuples(v, v, v, v)
        | st.dictionaries(texts, v, max_size=3)
        | st.dictionaries(keys, v, max_size=3)
        | st.builds(MemoryItem, texts, v)
    ),
    max_leaves=10,
)


def alike(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down: True is not 1, nor an offset UTC's name."""
    return pickletools.optimize(pickle.dumps(sortable(one))) == pickletools.optimize(
        pickle.dumps(sortable(other))
    )


def sortable(value: Any) -> Any:
    """No object shared, and sets and tables in an order."""
    if isinstance(value, set | frozenset | dict):
        pairs = value.items() if isinstance(value, dict) else value
        return (type(value).__name__, sorted(repr(sortable(one)) for one in pairs))
    if isinstance(value, list | tuple):
        return (type(value).__name__, [sortable(one) for one in value])
    if isinstance(value, MemoryItem):
        return ("item", sortable(vars(value)))
    return repr(value)


@given(values, st.sampled_from(PROTOCOLS))
def test_whatever_such_a_program_keeps_comes_in_one_to_one(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert alike(restored(read(data)), pickle.loads(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_unreadable(data: bytes) -> None:
    try:
        read(data)
    except Unreadable as error:
        assert 0 < len(str(error)) < 300  # noqa: PT017 — most bytes are


@given(values, st.sampled_from(PROTOCOLS), st.data())
def test_any_damage_is_a_value_or_unreadable(
    value: Any, protocol: int, data: st.DataObject
) -> None:
    pickled = bytearray(pickle.dumps(value, protocol))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(pickled) - 1))
        pickled[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        pickled = pickled or bytearray(b".")
    try:
        read(bytes(pickled))
    except Unreadable as error:
        assert str(error)  # noqa: PT017


class _Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.made_of = (function, arguments)

    def __reduce__(self) -> Any:
        return self.made_of


def _built(state: bytes) -> bytes:
    """A MemoryItem of whatever module that is given `state`."""
    return b"\x80\x02cmodels\nMemoryItem\n)\x81" + state + b"b."


FORGED = {
    "a command": (pickle.dumps(_Calls(os.system, "true"), 0), "posix.system"),
    "eval": (pickle.dumps(_Calls(eval, "1")), "builtins.eval"),
    "eval, named as in Python 2": (b"c__builtin__\neval\n(V1\ntR.", "__builtin__.eval"),
    "import": (b"cimportlib\nimport_module\n(Vos\ntR.", "importlib.import_module"),
    "INST": (b"(Vtrue\nios\nsystem\n.", "os.system"),
    "OBJ": (b"(cos\nsystem\nVtrue\no.", "os.system"),
    "a nested name": (
        b"\x80\x04\x8c\x06models\x8c\x1fMemoryItem.__init__.__globals__\x93.",
        "MemoryItem.__init__.__globals__",
    ),
    "a nested module": (b"\x80\x04\x8c\x08datetime\x8c\x11datetime.__init__\x93.", "datetime.__i"),
    "a name in two halves": (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.", "builtins.eval"),
    "getattr of what is no tier": (
        b"c__builtin__\ngetattr\n(c__builtin__\nobject\nV__subclasses__\ntR.",
        "builtins.getattr",
    ),
    "getattr of a tier's insides": (
        b"c__builtin__\ngetattr\n(cm\nMemoryTier\nV__class__\ntR.",
        "builtins.getattr",
    ),
    "any class by copyreg": (
        b"ccopy_reg\n_reconstructor\n(cm\nMemoryTier\nc__builtin__\nobject\nNtR.",
        "copyreg._reconstructor",
    ),
    "a codec": (b"c_codecs\nencode\n(Vx\nVrot13\ntR.", "_codecs.encode"),
    "setstate as a field": (_built(b"}X\x0c\x00\x00\x00__setstate__Ns"), "__setstate__"),
    "built twice": (_built(b"}b}"), "MemoryItem"),
    "built with what is no table": (_built(b"]"), "MemoryItem"),
    "an extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "a persistent id": (b"Pfile:///etc/passwd\n.", "PERSID"),
    "a persistent id off the stack": (b"\x80\x02Vx\nQ.", "BINPERSID"),
    "a buffer outside": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "numpy": (b"cnumpy.core.multiarray\n_reconstruct\n)R.", "numpy.core.multiarray._reconstruct"),
    "a call of a call": (b"cm\nMemoryItem\n)R)R.", "calls what is no name"),
    "a time of letters": (b"cdatetime\ndatetime\n(Vabcdefghij\ntR.", "datetime.datetime"),
    "days without end": (b"cdatetime\ntimedelta\n(L9999999999L\ntR.", "datetime.timedelta"),
    "a list in a set": (b"\x80\x04\x8f(]\x90.", "can change"),
    "a name as a value": (b"cm\nMemoryItem\n.", "MemoryItem"),
    "a protocol to come": (b"\x80\x06N.", "protocol 6"),
    "nothing": (b"", "no whole pickle"),
    "more after the end": (b"N.N.", "after its end"),
    "the same key twice": (b"(dVa\nNsVa\nNs.", "twice"),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED)
def test_forged_pickles_are_refused_by_name(forged: str) -> None:
    data, name = FORGED[forged]
    with pytest.raises(Unreadable) as error:
        read(data)
    assert name in str(error.value)


def _bomb(times: int) -> bytes:
    """A list of ten of a list of ten …: short, and without end when written out."""
    levels = (b"(" + (b"h" + bytes([n])) * 10 + b"lq" + bytes([n + 1]) for n in range(times))
    return b"\x80\x02(]q\0" + b"".join(levels) + b"l."


def text(data: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(data)) + data


HOSTILE = {
    "laughs": (_bomb(40), "more than"),
    "long laughs": (
        b"\x80\x02(" + text(b"x" * 10**6) + b"q\0" + b"h\0" * 9_000 + b"l.",
        "bytes",
    ),
    "a list in itself": (b"\x80\x02]q\0h\0a.", "holds itself"),
    "a table in itself": (b"\x80\x02}q\0Va\nh\0s.", "holds itself"),
    "deep": (b"\x80\x02" + b"](" * 50_000 + b"e" * 50_000 + b".", "operations|deeper"),
    "deep tuples": (b"\x80\x02)" + b"\x85" * 60_000 + b".", "deeper"),
    "deep tuples as a key": (b"\x80\x02})" + b"\x85" * 60_000 + b"Ns.", "deeper"),
    "many lists": (b"\x80\x02(" + b"]" * PICKLE_BYTES_MAX, "longer"),
    "as many lists as fit": (b"\x80\x02(" + b"}" * 90_000 + b"l.", ""),
    "as many sets as fit": (b"\x80\x04(" + b"\x8f" * 90_000 + b"l.", ""),
    "a memory of 2^31": (b"\x80\x02Nr\xff\xff\xff\x7f.", None),
    "a text of 2^63": (b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fx.", "no whole pickle"),
    "a number of 3 MB": (b"\x80\x02\x8b\0\0\x30\0" + b"\x01" * (3 << 20) + b".", "bits"),
    "one text of NULs": (b"\x80\x02" + text(b"\0" * 4_000_000) + b".", "limit"),
    "colliding numbers": (
        b"\x80\x02}(" + b"".join(
            b"\x8a\x0c" + (n * (2**61 - 1)).to_bytes(12, "little") + b"N" for n in range(1, 30_000)
        ) + b"u.",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_cost_little(name: str) -> None:
    """Less than 64 MiB besides the bytes themselves, whether they are refused or read."""
    data, why = HOSTILE[name]
    tracemalloc.start()
    try:
        if why is None:
            assert read(data) is None
        else:
            try:
                read(data)
            except Unreadable as error:
                assert why == "" or any(part in str(error) for part in why.split("|"))  # noqa: PT017
            else:
                assert why == ""
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_one_budget_holds_for_all_that_is_written_of_a_pickle() -> None:
    writer = Writer()
    texts = ["x" * 2_000_000 for _ in range(9)]
    with pytest.raises(Unreadable, match="more than"):
        list(map(writer.json, texts))


@pytest.mark.parametrize("at", [datetime(2026, 1, 2, 3, 4, 5, 6), datetime(2026, 1, 2, tzinfo=UTC)])
def test_moments_are_iso(at: datetime) -> None:
    assert read(pickle.dumps(at)) == {"$datetime": at.isoformat()}
