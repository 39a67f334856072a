"""One request for a lease on its way through the queue, a step at a time.

Steps are short and the pauses between them are the caller's, so the same walk serves a thread,
which sleeps, and an event loop, which does something else meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from memtend.errors import Deadlock, MemtendError
from memtend.limits import (
    LEASE_POLL_FAR_S_MAX,
    LEASE_POLL_S_MAX,
    LEASE_POLL_S_MIN,
    LEASE_TICKET_MS,
)
from memtend.model.lease import Lease
from memtend.store import leases
from memtend.store.notify import Waiter

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.store.leases import Waiting, Wish
    from memtend.store.store import Store

_GROWTH: Final = 1.5
_REFRESH_NS: Final = LEASE_TICKET_MS * 1_000_000 // 4
_ID_VALUES: Final = 1 << 128


class Turn:
    """Between steps the ticket keeps the place; `withdraw` gives it up."""

    def __init__(self, store: Store, wish: Wish, wait_s: float) -> None:
        self._store, self._clock = store, store.clock
        self._wish = wish._replace(request=self._clock.new_id(), waits=wait_s > 0)
        self._until_ns = self._clock.monotonic_ns() + round(wait_s * 1e9)
        self._pause_s = LEASE_POLL_S_MIN
        self._position = 0
        self._answered = False
        self._unheard = False
        self._open = False
        self.asked_ns = -1
        """When the database was asked last; the TTL of what it granted counts from then at most."""

    def step(self) -> Lease | float:
        """The lease, or for how many seconds to pause; raises `LeaseHeld` when time is up.

        Most steps only look. Writing, which the store does one at a time, is for those who seem to
        be next, and now and then to show that this waiter is still there.
        """
        now_ns = self._clock.monotonic_ns()
        late = now_ns >= self._until_ns
        try:
            outcome = self._ask(now_ns, late)
        except MemtendError as error:
            if late or not self._answered or not error.transient:
                raise
            return LEASE_POLL_S_MAX  # it was there before, and asking twice changes nothing
        if isinstance(outcome, Lease):
            return outcome
        if late:
            raise leases.held_error(self._wish.resource, outcome)
        return min(self._pause(outcome), (self._until_ns - now_ns) / 1e9)

    def _ask(self, now_ns: int, late: bool) -> Lease | Waiting:
        due = self.asked_ns < 0 or now_ns - self.asked_ns >= _REFRESH_NS
        seen: Lease | Waiting | None = None
        if not late and not due:
            seen = leases.look(self._store, self._wish)
        if seen is None:
            if not self._unheard:  # else the answer may be that of the last time
                self.asked_ns = now_ns
            self._open = self._unheard = True
            try:
                seen = leases.ask(self._store, self._wish)
            except Deadlock:
                self._open = False
                raise
            self._answered, self._unheard, self._open = True, False, self._wish.waits
        return seen

    def withdraw(self) -> None:
        """Leave the queue, and give back what was granted without our hearing of it."""
        if self._open:
            leases.withdraw(self._store, self._wish.resource, self._wish.request)

    def ear(self) -> Waiter:
        """Hears when something is out of the way; a hint, so the pauses stay as they are."""
        return Waiter(self._store, leases.channel(self._wish.resource))

    def _pause(self, seen: Waiting) -> float:
        """Longer from look to look, and the farther from the front; never past an expiry."""
        if seen.position != self._position:
            self._position, self._pause_s = seen.position, LEASE_POLL_S_MIN
        longest = min(LEASE_POLL_S_MAX * seen.position, LEASE_POLL_FAR_S_MAX)
        self._pause_s = min(self._pause_s * _GROWTH, longest)
        chance = int(self._clock.new_id(), 16) / _ID_VALUES
        pause_s = self._pause_s * (0.75 + chance / 2)
        if seen.position == 1 and seen.obstacles.grants:
            left_ms = min(one.expires_ms for one in seen.obstacles.grants) - seen.now_ms
            pause_s = min(pause_s, max(left_ms, 1) / 1_000)
        return pause_s


class Lines:
    """A name for each line of work, a thread or a task: who waits for himself is in a deadlock."""

    def __init__(self, agent: str, clock: Clock) -> None:
        self._agent = agent
        self._clock = clock
        self._names: WeakKeyDictionary[object, str] = WeakKeyDictionary()
        self._process = os.getpid()

    def name(self) -> str:
        if self._process != os.getpid():  # a forked child is nobody of the parent's
            self._names, self._process = WeakKeyDictionary(), os.getpid()
        line = _line_of_work()
        name = self._names.get(line)
        if name is None:
            name = self._names[line] = f"{self._agent} {self._clock.new_id()[:12]}"
        return name


def _line_of_work() -> object:
    asyncio = sys.modules.get("asyncio")  # without it there are no tasks
    if asyncio is not None:
        try:
            task: object = asyncio.current_task()
        except RuntimeError:
            task = None
        if task is not None:
            return task
    return threading.current_thread()
