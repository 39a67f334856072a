"""Messages against their model, and the model against planted defects: each must be found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from memtend.errors import StaleReceipt
from memtend.model.message import Message
from memtend.store import messages, messages_taking
from memtend.store.messages_books import Books
from memtend.store.messages_rows import Lane, held
from tests.laws.messages_model import History

ROUNDS = settings(max_examples=50, stateful_step_count=40)


def test_every_history_agrees() -> None:
    run_state_machine_as_test(History, settings=ROUNDS)


def _no_receipt(books: Books, rows: list[Any], message: Message) -> Any:
    if not rows:
        raise StaleReceipt(id=message.id, inbox=message.inbox, why="ended")
    return held(rows[0], books.url)


def _unheld(self: Any, books: Books, one: Any) -> Message:
    delivery = one.delivery
    out = delivery._replace(
        visible_ms=books.now_ms + self._visible_ms, tries=delivery.tries + 1,
        receipt=self._store.clock.new_id(),
    )  # fmt: skip
    books.save(out)
    return one._replace(delivery=out).shown(out.receipt)  # type: ignore[no-any-return]


def _forgets_lane(self: Books, delivery: Any) -> None:
    if not self.tx.fetch("live_nos", (delivery.inbox, delivery.sender)):
        self.tx.run("drop_lane", (delivery.inbox, delivery.sender))


def _local_time(self: Books, store: Any, tx: Any, meta: Any, _: int) -> None:
    _BOOKS(self, store, tx, meta, store.clock.now_ms())


def _frees_lane(self: Books, delivery: Any) -> None:
    """Whoever is late frees the lane that another holds."""
    if self.tx.fetch("live_nos", (delivery.inbox, delivery.sender)):
        self.save_lane(Lane(delivery.inbox, delivery.sender, self.now_ms))
    else:
        self.tx.run("drop_lane", (delivery.inbox, delivery.sender))


def _same_try(self: Any, books: Books, one: Any) -> Message:
    before = one._replace(delivery=one.delivery._replace(tries=max(0, one.delivery.tries - 1)))
    return _HAND_OUT(self, books, before)


_HAND_OUT = messages_taking._Taking._hand_out
_SEND = messages.send
_BOOKS = Books.__init__


def _to_all(store: Any, letter: Any, **more: Any) -> Any:
    return _SEND(store, letter._replace(sender="nobody") if letter.swarm else letter, **more)


def _new_id(store: Any, letter: Any, **more: Any) -> Any:
    known = store.engine.read("message_of", (letter.id,))
    return _SEND(store, letter._replace(id=store.clock.new_id()) if known else letter, **more)


DEFECTS: dict[str, tuple[Any, str, Any]] = {
    "settling does not look at the receipt": (messages_taking, "_claimed", _no_receipt),
    "what is in hand holds nothing back": (messages_taking._Taking, "_hand_out", _unheld),
    "the lane is not freed": (Books, "step_aside", _forgets_lane),
    "whoever is late frees the lane": (Books, "step_aside", _frees_lane),
    "tries are not counted": (messages_taking._Taking, "_hand_out", _same_try),
    "visibility goes by the local clock": (
        Books, "__init__", _local_time,
    ),
    "nothing ever expires": (messages_taking, "is_over", lambda *_: False),
    "everything expires at once": (messages_taking, "is_over", lambda *_: True),
    "a broadcast comes back": (messages, "send", _to_all),
    "a known id is sent again": (messages, "send", _new_id),
    "a dead letter is lost": (Books, "bury", lambda self, one: self.end(one.delivery)),
    "a retried letter keeps its tries": (
        Books, "revive", lambda self, one: self.save(one),
    ),
}  # fmt: skip
FIRST = settings(
    max_examples=250, stateful_step_count=30, phases=[Phase.generate], derandomize=True
)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, attribute, defect = DEFECTS[name]
    monkeypatch.setattr(owner, attribute, defect)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 — one failure or a group of them
        run_state_machine_as_test(History, settings=FIRST)
    assert "assert" in str(caught.getrepr()).lower()
