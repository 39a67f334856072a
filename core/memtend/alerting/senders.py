"""Telling people by Apprise: mail, chats, webhooks, a hundred services by their addresses.

An address holds passwords. It is never shown, logged or kept: a channel is called after the scheme
of its address and its place in the list, and remembered by a hash under the store's own key.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from threading import Lock, Thread, get_ident
from typing import Any
from urllib.parse import unquote

from memtend.alerting.telling import Notice
from memtend.alerting.wording import body, kind_of, title
from memtend.limits_upkeep import ALERT_TELLING_MS

TELL_S = ALERT_TELLING_MS / 2_000
"""Half of the time after which somebody else tries."""
_LOGGER = "apprise"
_WHY_CHARS = 200
_BETWEEN = re.compile("[:@?#&=]+")
_WORD = re.compile(r"[\w.-]+")
_ABSENT = "the package apprise is not installed: pip install 'memtend[alerts]'"
_SLOW = "it took too long, or broke"
_UNKNOWN = "it is no address that Apprise understands"


class AppriseTeller:
    """One address. `name` such as `slack #2`. `server` None: Apprise is not there, or understands
    it not; then `why` says so whenever something is to be told."""

    def __init__(self, url: str, number: int, key: bytes, server: Any, why: str = "") -> None:
        self._url = url
        self._server = server
        self._missing = why
        self.name = f"{url.partition('://')[0].lower() if server else 'address'} #{number}"
        self.channel = blake2b(url.encode(), key=key[:64], digest_size=8).hexdigest()

    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        """In a thread, which is given up after a while: a server that answers a byte at a time
        would hold up everybody for as long as it likes."""
        if self._server is None:
            return self._missing
        answers: list[str | None] = []
        sending = Thread(target=lambda: answers.append(self._send(store, notices)), daemon=True)
        sending.start()
        sending.join(TELL_S)
        return answers[0] if answers else _SLOW

    def _send(self, store: str, notices: Sequence[Notice]) -> str | None:
        with _heard() as lines:
            told = self._server.notify(
                body(notices),
                title=title(store, notices),
                notify_type=kind_of(notices),
                body_format="text",
            )
        return None if told else self._why(lines)

    def _why(self, lines: list[str]) -> str:
        """What Apprise says of it, without any word of the address: where one service has its host,
        another has a token."""
        said = next(iter(lines), "") or "it was not delivered"
        rest = self._url.partition("://")[2]
        words = {*_BETWEEN.split(rest), *_BETWEEN.split(unquote(rest)), *_WORD.findall(rest)}
        for word in sorted(words, key=len, reverse=True):
            if len(word) > 2:
                said = said.replace(word, "****")
        return "".join(sign for sign in said if sign.isprintable())[:_WHY_CHARS]


def tellers(urls: Sequence[str], key: bytes) -> list[AppriseTeller]:
    """One for each address. One that is wrong is no reason not to tell the others."""
    if not urls:
        return []
    try:
        import apprise  # noqa: PLC0415
    except ImportError:
        return [AppriseTeller(url, n, key, None, _ABSENT) for n, url in enumerate(urls, 1)]
    asset = apprise.AppriseAsset(app_id="memtend", app_desc="memtend", async_mode=False)
    found = []
    for number, url in enumerate(urls, 1):
        server = apprise.Apprise(asset=asset)
        with _heard():
            known = server.add(url)
        found.append(AppriseTeller(url, number, key, server if known else None, _UNKNOWN))
    return found


_lock = Lock()
_hearing: list[logging.Handler] = []
_before: list[bool] = []
"""What the logger was like before the first of those who hear it now."""


class _Lines(logging.Handler):
    """Keeps what is worth a warning of one thread, and shows it to nobody."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise logs meanwhile: here, and not where everybody reads it. Who was given up may
    still be at it when the next one begins."""
    logger, handler = logging.getLogger(_LOGGER), _Lines()
    with _lock:
        if not _hearing:
            _before.append(logger.propagate)
            logger.propagate = False
        _hearing.append(handler)
        logger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        with _lock:
            logger.removeHandler(handler)
            _hearing.remove(handler)
            if not _hearing:
                logger.propagate = _before.pop()
