"""A message being worked on, as a `with` block: acknowledged at its end, given back on an error."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from memtend.errors import StaleReceipt
from memtend.limits import MESSAGE_RETRY_MS, MESSAGE_RETRY_MS_MAX, MESSAGE_VISIBLE_MS
from memtend.messaging.apart import apart

if TYPE_CHECKING:
    from memtend.messaging.receiving import Receiving
    from memtend.model.message import Message


class Turn:
    """For `with` and for `async with`. After an error the message waits, longer each time."""

    def __init__(self, messages: Receiving, message: Message) -> None:
        self._messages = messages
        self.message = message

    def extend(self, visible_ms: int = MESSAGE_VISIBLE_MS) -> None:
        """Keep it for longer, counted from now."""
        self.message = self._messages.extend(self.message, visible_ms)

    def __enter__(self) -> Message:
        return self.message

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._messages.ack(self.message)
        elif not isinstance(error, StaleReceipt):
            with suppress(StaleReceipt):  # the error of the block is the one to tell
                self._messages.nack(self.message, delay_ms=self._delay_ms(error))

    async def __aenter__(self) -> Message:
        return self.message

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await apart(self.__exit__, kind, error, trace)

    def _delay_ms(self, error: BaseException) -> int:
        if not isinstance(error, Exception):  # somebody ends the program: not the message's fault
            return 0
        return min(MESSAGE_RETRY_MS << min(self.message.tries - 1, 16), MESSAGE_RETRY_MS_MAX)
