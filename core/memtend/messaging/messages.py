"""`memory.messages`: everything that an agent does with messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from memtend.limits import MESSAGE_VISIBLE_MS, SCAN_MAX
from memtend.messaging.awaiting import Awaiting
from memtend.messaging.posting import check_bound, check_id
from memtend.messaging.turns import Turn
from memtend.store import messages_upkeep as upkeep

if TYPE_CHECKING:
    from memtend.model.message import Backlog, Message
    from memtend.store.messages_upkeep import Purged


class Messages(Awaiting):
    """Thread-safe, like the memory it belongs to."""

    def of(self, agent: str) -> Messages:
        """The same for another agent: for the store's owner, and for who administers its inbox."""
        return Messages(self._session, self._own(agent))

    def consume(
        self,
        inbox: str | None = None,
        *,
        topic: str = "",
        visible_ms: int = MESSAGE_VISIBLE_MS,
        wait_s: float = 0.0,
        limit: int | None = None,
    ) -> Iterator[Turn]:
        """One message after the other, until none has come for `wait_s` (or `limit` have).

        Each is a `with` block: leaving it acknowledges, an error in it gives the message back.
        """
        wanted = self._wanted(inbox, topic, 1, visible_ms)
        taken = 0
        while (limit is None or taken < limit) and (found := self._receive(wanted, wait_s)):
            taken += 1
            yield Turn(self, found[0])

    def peek(self, inbox: str | None = None, *, limit: int = 100) -> list[Message]:
        """What is in an inbox, oldest first, without receiving it."""
        return self._look(inbox, limit, dead=False)

    def find(self, id: str, inbox: str | None = None) -> Message | None:
        """A message that waits in an inbox or is being worked on there; None where it is not."""
        return upkeep.letter(self._store, self._own(inbox), check_id(id))

    def backlog(self, inbox: str | None = None) -> Backlog:
        """How much waits in an inbox, and since when."""
        return upkeep.backlog(self._store, self._own(inbox))

    def inboxes(self) -> list[str]:
        """Those that hold something and that one may look into."""
        found = upkeep.inboxes(self._store)
        return found if self._session.agent is None else [one for one in found if one == self.agent]

    def dead(self, inbox: str | None = None, *, limit: int = 100) -> list[Message]:
        """Dead letters: what was delivered in vain too often, or is damaged."""
        return self._look(inbox, limit, dead=True)

    def retry(self, id: str, inbox: str | None = None) -> None:
        """Put a dead letter back to its old place, with new tries. Raises `NoMessage`."""
        upkeep.retry(self._store, self._own(inbox), check_id(id))

    def discard(self, id: str, inbox: str | None = None) -> None:
        """Let a dead letter go. Raises `NoMessage`."""
        upkeep.discard(self._store, self._own(inbox), check_id(id))

    def purge(self) -> Purged:
        """Drop what has expired, in all inboxes. The sweep does it, too."""
        return upkeep.purge(self._store)

    def _look(self, inbox: str | None, limit: int, *, dead: bool) -> list[Message]:
        own = self._own(inbox)
        check_bound("limit", own, limit, SCAN_MAX)
        return upkeep.letters(self._store, own, dead=dead, limit=limit)
