"""Stopping what goes on until somebody stops it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from memtend.cli.stopping import stopped


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_sigterm_may_come_again_until_the_process_has_ended() -> None:
    with stopped() as ended:
        assert not ended.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert ended.is_set()
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)


def test_the_second_interrupt_ends_at_once() -> None:
    with stopped() as ended:
        signal.raise_signal(signal.SIGINT)
        assert ended.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_what_was_before_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stopped():
        signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
