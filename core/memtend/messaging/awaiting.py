"""The same for asyncio: nothing here blocks the loop.

The store works in threads; waiting happens in the loop, so that many waiting agents cost no thread.
Whoever is cancelled while a message is on its way to him gives it back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from memtend.errors import NoReply
from memtend.limits import MESSAGE_VISIBLE_MS, MESSAGE_WAIT_S_MAX
from memtend.messaging.apart import apart
from memtend.messaging.posting import check_bound, check_id
from memtend.messaging.receiving import Patience, Receiving, Wanted
from memtend.messaging.turns import Turn
from memtend.store import messages_taking as taking
from memtend.store.messages_rows import answers_to

if TYPE_CHECKING:
    from memtend.model.message import Message


class Awaiting(Receiving):
    async def asend(self, to: str, body: Any, **more: Any) -> str:
        """`send`, with the same options."""
        return await apart(self.send, to, body, **more)

    async def abroadcast(self, swarm: str, body: Any, **more: Any) -> str:
        """`broadcast`, with the same options."""
        return await apart(self.broadcast, swarm, body, **more)

    async def areply(self, message: Message, body: Any, **more: Any) -> str:
        """`reply`, with the same options."""
        return await apart(self.reply, message, body, **more)

    async def aack(self, message: Message) -> None:
        """`ack`."""
        await apart(self.ack, message)

    async def anack(self, message: Message, *, delay_ms: int = 0) -> None:
        """`nack`."""
        await apart(self.nack, message, delay_ms=delay_ms)

    async def aextend(self, message: Message, visible_ms: int = MESSAGE_VISIBLE_MS) -> Message:
        """`extend`."""
        return await apart(self.extend, message, visible_ms)

    async def areceive(
        self,
        inbox: str | None = None,
        *,
        limit: int = 1,
        visible_ms: int = MESSAGE_VISIBLE_MS,
        wait_s: float = 0.0,
        topic: str = "",
    ) -> list[Message]:
        """`receive`."""
        return await self._areceive(self._wanted(inbox, topic, limit, visible_ms), wait_s)

    async def arequest(self, to: str, body: Any, *, wait_s: float = 30.0, **more: Any) -> Message:
        """`request`, with the same options."""
        check_bound("wait_s", to, wait_s, MESSAGE_WAIT_S_MAX, least=0)
        sent = await self.asend(to, body, **more)
        found = await self.aanswer(sent, wait_s=wait_s)
        if found is None:
            raise NoReply(id=sent, waited_s=wait_s)
        return found

    async def aanswer(self, id: str, *, wait_s: float = 0.0) -> Message | None:
        """`answer`."""
        wanted = Wanted(answers_to(self.agent, check_id(id)), "", 1, MESSAGE_VISIBLE_MS)
        found = await self._areceive(wanted, wait_s)
        if not found:
            return None
        await self.aack(found[0])
        return found[0]

    async def aconsume(
        self,
        inbox: str | None = None,
        *,
        topic: str = "",
        visible_ms: int = MESSAGE_VISIBLE_MS,
        wait_s: float = 0.0,
        limit: int | None = None,
    ) -> AsyncIterator[Turn]:
        """`consume`, for `async for` and `async with`."""
        wanted = self._wanted(inbox, topic, 1, visible_ms)
        taken = 0
        while (limit is None or taken < limit) and (found := await self._areceive(wanted, wait_s)):
            taken += 1
            yield Turn(self, found[0])

    async def _areceive(self, wanted: Wanted, wait_s: float) -> list[Message]:
        import asyncio  # noqa: PLC0415

        patience = Patience(self._store, wanted, wait_s, listens=False)
        while True:
            taken: list[Message] = []
            try:
                await apart(lambda taken=taken: taken.extend(self._take(wanted)))
            except asyncio.CancelledError:
                for message in taken:
                    await apart(taking.give_back, self._store, message)
                raise
            if taken or patience.is_over:
                return taken
            pause_s = await apart(patience.pause_s)
            await asyncio.sleep(pause_s)
            patience.spend(pause_s)
