"""The erasure ledger: what it forbids, and what it must not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend.codec.envelope import Body
from memtend.errors import LedgerUnreadable
from memtend.model.pattern import compile_pattern
from memtend.model.stored import LogRow, StoredRow
from memtend.model.subject import Owned, Subject, SubjectKind
from memtend.store.ledger import Erasure, Filter, entries_of, path_entry

KEY = b"k" * 32
AT = 1_000 << 16


def ledger(*subjects: Subject, at: int = AT, seq: int = 50, key: bytes = KEY) -> Filter:
    rows = [Erasure(*entry, at, seq) for one in subjects for entry in entries_of(one, key)]
    return Filter(rows, [key])


def stored(namespace: str, key: str, ts: int = AT, **labels: Any) -> StoredRow:
    body = Body("a" * 32, 1, ts, 0, 0, 1, None, "note")._replace(**labels)
    return StoredRow(namespace, key, "", 1, None, 0, body.pack(), b"1", b"")


def logged(namespace: str, key: str, seq: int) -> LogRow:
    return LogRow(namespace, key, "", "a" * 32, 1, seq, 0, "deleted")


def test_a_record_is_forbidden_up_to_its_erasure_and_no_longer() -> None:
    held = ledger(Subject.of_record("notes", "n1"))
    assert held.erased(stored("notes", "n1", AT))
    assert not held.erased(stored("notes", "n1", AT + 1))
    assert not held.erased(stored("notes", "n10", AT))
    assert not held.erased(stored("notes/n1", "n1", AT))
    assert held.erased_log(logged("notes", "n1", 50))
    assert not held.erased_log(logged("notes", "n1", 51))


@pytest.mark.parametrize("kind", ["agent", "writer", "session"])
def test_a_label_is_forbidden_wherever_it_stands(kind: str) -> None:
    subject = Subject(kind=SubjectKind(kind), name="ada")
    held = ledger(subject)
    own: dict[str, Any] = {kind: "ada"}
    assert held.erased(stored("any/where", "k", **own))
    assert not held.erased(stored("any/where", "k", AT + 1, **own))
    near: dict[str, Any] = {kind: "adam"}
    assert not held.erased(stored("any/where", "k", **near))
    others: dict[str, Any] = dict.fromkeys({"agent", "writer", "session"} - {kind}, "ada")
    assert not held.erased(stored("any/where", "k", **others))


def test_a_tag_is_one_of_several() -> None:
    held = ledger(Subject.of_tag("private"))
    assert held.erased(stored("n", "k", tags=("a", "private")))
    assert not held.erased(stored("n", "k", tags=("privat",)))


SEGMENTS = st.sampled_from(["a", "b", "log"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "log", "*"]), min_size=1, max_size=4).map("/".join)


@given(PATTERNS | st.just("**"), PATHS, st.booleans())
def test_a_pattern_forbids_exactly_what_it_governs(pattern: str, path: str, more: bool) -> None:
    """Hashes of masked paths decide as the pattern itself does."""
    text = f"{pattern}/**" if more and pattern != "**" else pattern
    held = ledger(Subject.of_namespace(text))
    assert held.erased(stored(path, "k")) == compile_pattern(text).governs(path)


def test_a_pattern_without_a_hash_of_its_own_is_written_down_by_what_it_covers() -> None:
    subject = Subject.of_namespace("agent-*/log")
    entries = entries_of(subject, KEY, ["agent-1/log", "agent-2/log/old", "agent-3", "other"])
    held = Filter([Erasure(*entry, AT, 1) for entry in entries], [KEY])
    assert held.erased(stored("agent-1/log", "k"))
    assert held.erased(stored("agent-2/log/old", "k"))
    assert not held.erased(stored("agent-3", "k"))


def test_a_path_entry_forbids_names_but_no_values() -> None:
    held = Filter([Erasure(*path_entry(KEY, "notes", "n1"), AT, 50)], [KEY])
    assert held.erased_log(logged("notes", "n1", 50))
    assert held.holds("notes", "n1")
    assert not held.erased(stored("notes", "n1", 0))


def test_ledgers_under_several_keys_are_asked_together() -> None:
    other = b"o" * 32
    rows = [Erasure(*entry, AT, 1) for entry in entries_of(Subject.of_agent("ada"), KEY)]
    rows += [Erasure(*entry, AT, 1) for entry in entries_of(Subject.of_agent("bob"), other)]
    held = Filter(rows, [KEY, other])
    assert held.erased(stored("n", "k", agent="ada"))
    assert held.erased(stored("n", "k", agent="bob"))
    assert not held.erased(stored("n", "k", agent="eve"))


def test_a_ledger_without_its_key_is_an_error_and_an_empty_one_forbids_nothing() -> None:
    rows = [Erasure(*entry, AT, 1) for entry in entries_of(Subject.of_agent("ada"), KEY)]
    with pytest.raises(LedgerUnreadable):
        Filter(rows, [])
    empty = Filter([], [])
    assert not empty
    assert not empty.erased(stored("n", "k"))
    assert not empty.forbids("n", "k", Owned(), None)


def test_a_damaged_body_is_judged_by_its_name() -> None:
    broken = stored("notes", "n1")._replace(body=b"\xff")
    assert ledger(Subject.of_record("notes", "n1")).erased(broken)
    assert not ledger(Subject.of_agent("ada")).erased(broken)


def test_what_comes_from_outside_must_be_younger_than_the_erasure() -> None:
    held = ledger(Subject.of_agent("ada"), Subject.of_record("notes", "n1"))
    ada = Owned(agent="ada")
    assert held.forbids("n", "k", ada, 1_000)
    assert not held.forbids("n", "k", ada, 1_001)
    assert held.forbids("n", "k", ada, None)
    assert held.forbids("notes", "n1", Owned(), 999)
    assert not held.forbids("n", "k", Owned(agent="bob"), None)


def test_the_ledger_holds_no_name() -> None:
    for subject in (Subject.of_record("secret-ns", "secret-key"), Subject.of_agent("secret-name")):
        for kind, digest in entries_of(subject, KEY):
            assert "secret" not in kind
            assert b"secret" not in digest
        assert "secret" not in repr(subject) + str(subject)
