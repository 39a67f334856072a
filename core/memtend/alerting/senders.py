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
from typing import Any

from memtend.alerting.telling import Notice
from memtend.alerting.wording import body, kind_of, title
from memtend.errors import AlertUrlRefused, PackageMissing

_LOGGER = "apprise"
_WHY_CHARS = 200


class AppriseTeller:
    """One address. `name` such as `slack #2`."""

    def __init__(self, url: str, number: int, server: Any, key: bytes) -> None:
        self._url = url
        self._server = server
        self.name = f"{url.partition('://')[0].lower()} #{number}"
        self.channel = blake2b(url.encode(), key=key[:64], digest_size=8).hexdigest()

    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        with _heard() as lines:
            told = self._server.notify(
                body(notices),
                title=title(store, notices),
                notify_type=kind_of(notices),
                body_format="text",
            )
        return None if told else self._why(lines)

    def _why(self, lines: list[str]) -> str:
        """What Apprise says of it, without any word of the address but its host."""
        said = next(iter(lines), "") or "it was not delivered"
        _, _, rest = self._url.partition("://")
        host = re.split(r"[/?#]", rest)[0].rpartition("@")[2].partition(":")[0]
        for word in sorted(set(re.split(r"[^\w.-]+", rest)), key=len, reverse=True):
            if len(word) > 2 and word != host:
                said = said.replace(word, "****")
        return "".join(sign for sign in said if sign.isprintable())[:_WHY_CHARS]


def tellers(urls: Sequence[str], key: bytes) -> list[AppriseTeller]:
    """One for each address; raises `AlertUrlRefused` and `PackageMissing`."""
    if not urls:
        return []
    try:
        import apprise  # noqa: PLC0415
    except ImportError as error:
        raise PackageMissing(what="telling people of alerts", package="apprise") from error
    asset = apprise.AppriseAsset(app_id="memtend", app_desc="memtend", async_mode=False)
    found = []
    for number, url in enumerate(urls, 1):
        server = apprise.Apprise(asset=asset)
        with _heard():
            known = server.add(url)
        if not known:
            raise AlertUrlRefused(number=number, count=len(urls))
        found.append(AppriseTeller(url, number, server, key))
    return found


class _Lines(logging.Handler):
    """Keeps what is worth a warning, and shows it to nobody."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise logs meanwhile: here, and not where everybody reads it."""
    logger, handler = logging.getLogger(_LOGGER), _Lines()
    before = logger.propagate
    logger.propagate = False
    logger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
