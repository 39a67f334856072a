"""Durable messages between agents.

    >>> from memtend import Memory
    >>> with Memory.open("sqlite://") as memory:
    ...     ada, bob = memory.messages.of("ada"), memory.messages.of("bob")
    ...     _ = ada.send("bob", {"task": 7})
    ...     for turn in bob.consume():
    ...         with turn as message:
    ...             print(message.sender, message.body)
    ada {'task': 7}

A message that `send` returned for is delivered, again and again until somebody acknowledges it, its
deadline passes or its tries are used up. Messages of one sender come in the order of sending: while
one is being worked on, or waits to be tried again, nothing later of that sender is handed out from
the same inbox. Messages of different senders do not wait for each other.
"""

from memtend.messaging.messages import Messages

__all__ = ["Messages"]
