"""Stopping what goes on until somebody stops it."""

from __future__ import annotations

import signal

import pytest

from memtend.cli.stopping import stopped


def test_sigterm_may_come_twice() -> None:
    with stopped() as ended:
        assert not ended.is_set()
        signal.raise_signal(signal.SIGTERM)
        assert ended.is_set()
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
        signal.raise_signal(signal.SIGTERM)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
