"""Locks and messages of a swarm: the store's leases and inboxes, under the swarm's own names.

A lock on `deploy` is the lease `swarm-{id}/coordination/locks/deploy`. An agent's inbox is
`swarm-{id}/agent-{name}`, so that agents of one name in two swarms get each their own; what is
broadcast to `swarm-{id}` reaches everybody who has initialized and not left.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from memtend.agent.base import AgentBase
from memtend.errors import AccessDenied
from memtend.model.quoting import quote_name, unquote_name

if TYPE_CHECKING:
    from memtend.leasing import HeldLease
    from memtend.messaging import Messages
    from memtend.model.lease import Held
    from memtend.model.message import Message


class Meeting(AgentBase):
    def lock(self, resource: str, **terms: Any) -> AbstractContextManager[HeldLease]:
        """Hold a lock for the length of a `with` block.

        `terms` are those of a lease: `mode` (read, write or exclusive), `ttl_ms`, `wait_s` (30 s).
        Writes with `lease=` are refused once somebody else was let in.
        """
        return self.memory.lease(self._lock_name(resource), **terms)

    def alock(self, resource: str, **terms: Any) -> AbstractAsyncContextManager[HeldLease]:
        """The same for `async with`."""
        return self.memory.alease(self._lock_name(resource), **terms)

    def locks(self) -> dict[str, Held]:
        """What is locked or waited for in this swarm, by resource."""
        root = self._lock_name("")
        held = self.memory.leases.held()
        return {
            unquote_name(one.resource.removeprefix(root)): one
            for one in held
            if one.resource.startswith(root)
        }

    @cached_property
    def messages(self) -> Messages:
        """This agent's inbox and everything that can be done with messages."""
        from memtend.messaging import Messages  # noqa: PLC0415

        return Messages(self.memory, self._home)

    def send(self, to: str, body: Any, **more: Any) -> str:
        """Send to an agent of the swarm, by its name; returns the id of the message."""
        return self.messages.send(self.layout.agent(to), body, **more)

    def broadcast(self, body: Any, **more: Any) -> str:
        """Send to every agent of the swarm that listens."""
        return self.messages.broadcast(self.layout.root, body, **more)

    def receive(self, **more: Any) -> list[Message]:
        """The next messages; settle each with `messages.ack` or `messages.nack`."""
        return self.messages.receive(**more)

    def sender_of(self, message: Message) -> str:
        """The name of the agent that sent a message."""
        return unquote_name(message.sender.removeprefix(f"{self.layout.root}/agent-"))

    def _listen(self) -> None:
        """Hear what is broadcast, where the grants allow it."""
        with suppress(AccessDenied):
            if self._home not in self.messages.members(self.layout.root):
                self.messages.subscribe(self.layout.root)

    def _lock_name(self, resource: str) -> str:
        root = f"{self.layout.coordination_root}/locks/"
        return root + quote_name(resource) if resource else root
