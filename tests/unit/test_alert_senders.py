"""Addresses hold passwords: what a service answers is told without them."""

from __future__ import annotations

import logging
from threading import Event

import pytest

from memtend.alerting import senders
from memtend.alerting.senders import AppriseTeller, tellers
from memtend.alerting.wording import trial

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("url", "said", "shown"),
    [
        ("slack://tokA/tokB/tokC/#ops", "no tokA at host", "no **** at host"),
        ("json://u5er:p%2Fw0rd@example.org:80/h00k", "p/w0rd of u5er", "**** of ****"),
        ("json://u5er:p%2Fw0rd@example.org", "p%2Fw0rd\x1b[31m", "****[31m"),
        ("json://example.org", "", "it was not delivered"),
    ],
)  # fmt: skip
def test_no_word_of_an_address_is_told(url: str, said: str, shown: str) -> None:
    teller = AppriseTeller(url, 1, KEY, object())
    assert teller._why([said] if said else []) == shown
    assert not any(word in shown for word in ("tokA", "u5er", "w0rd", "h00k"))


def test_a_channel_is_known_again_and_says_nothing() -> None:
    urls = ["json://ada:pw@127.0.0.1/x", "nonsense", "json://127.0.0.1/y"]
    first, second = tellers(urls, KEY), tellers(urls, KEY)
    assert [one.name for one in first] == ["json #1", "address #2", "json #3"]
    assert [one.channel for one in first] == [one.channel for one in second]
    assert len({one.channel for one in first}) == 3
    assert [one.channel for one in tellers(urls, b"another")] != [one.channel for one in first]
    assert tellers([], KEY) == []


class Server:
    """As slow as `answers` is, and no success."""

    def __init__(self, said: str, answers: Event) -> None:
        self.said, self.answers, self.ended = said, answers, Event()

    def notify(self, *given: object, **more: object) -> bool:
        self.answers.wait()
        logging.getLogger("apprise").warning(self.said)
        self.ended.set()
        return False


def test_one_that_does_not_end_is_given_up_and_heard_by_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    notices = [trial(1_750_000_000_000, "a" * 32)]
    never, now = Event(), Event()
    now.set()
    slow = Server("token of slow", never)
    monkeypatch.setattr(senders, "TELL_S", 0.05)
    assert (
        AppriseTeller("json://a", 1, KEY, slow).tell("s", notices) == "it took too long, or broke"
    )
    monkeypatch.setattr(senders, "TELL_S", 10)
    quick = AppriseTeller("json://b", 2, KEY, Server("said", now))
    assert quick.tell("s", notices) == "said"
    never.set()
    assert slow.ended.wait(10)
    while senders._hearing:
        Event().wait(0.01)
    assert quick.tell("s", notices) == "said"
    assert caplog.records == []
    assert logging.getLogger("apprise").propagate


def test_what_apprise_logs_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("apprise").setLevel(logging.WARNING)
    [teller] = tellers(["json://127.0.0.1:9/t0ken"], KEY)
    why = teller.tell("s", [trial(1_750_000_000_000, "a" * 32)])
    assert why == "A Connection error occurred sending JSON notification to ****."
    assert caplog.records == []
