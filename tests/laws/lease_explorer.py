"""Every interleaving of clients that take, use, lose and give back a lease, on the real store.

A state is the rows of the lease tables, the time, and what each client believes. From each state
every possible next step is taken once, in the store and in the model; they must agree, and what
must never happen is looked for in the store's own rows. A client that is not chosen is paused; a
tick lets time pass for all. Tables are put back by hand between steps: the store is opened once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from memtend.clock import to_datetime
from memtend.errors import LeaseReads, MemtendError, StaleLease
from memtend.memory import Memory
from memtend.model.lease import Fence, Lease, Mode
from memtend.store import leases
from memtend.store.lease_rows import check_fence, clock_ms, grants_of
from memtend.store.leases import Waiting, Wish
from tests.laws.lease_model import CONFLICTS, TICKET_MS, TTL_MS, Promise

RESOURCE = "r"
TABLES = {"lease": 4, "lease_grant": 8, "lease_ticket": 7}
TICK_MS = 5_000
assert TICKET_MS == TICK_MS == TTL_MS // 2  # one tick ends a ticket, two end a lease

_WHENEVER = to_datetime(0)
"""What the client believes about the end does not matter: only the database's rows do."""

Rows = tuple[tuple[Any, ...], ...]


class SetClock:
    """A clock that stands where it is put, also in the past: exploring goes back and forth."""

    alarm_ms = None

    def __init__(self) -> None:
        self.ms = 0
        self._ids = 0

    def now_ms(self) -> int:
        return 1_750_000_000_000 + self.ms

    def monotonic_ns(self) -> int:
        return self.now_ms() * 1_000_000

    def new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"


class Client(NamedTuple):
    """`stage` is idle, waiting, holding, writing (begun, not finished) or done."""

    mode: str
    stage: str = "idle"
    token: int = 0
    writes: int = 1
    renewals: int = 0
    asks: int = 1
    checked: bool = True
    """What a fence that is checked outside of the transaction has said. A sound store has none."""


class State(NamedTuple):
    rows: tuple[Rows, ...]
    promise: Promise
    clients: tuple[Client, ...]
    ticks: int
    written: int = 0
    """The greatest token under which a write was accepted."""


class Broken(AssertionError):
    """The store did what it must never do. Says the way there."""


class Explorer:
    """`fence_outside` plants a defect that no patch of a function can."""

    def __init__(self, memory: Memory, clock: SetClock, *, fence_outside: bool = False) -> None:
        self._memory, self._clock, self._outside = memory, clock, fence_outside
        self._store = memory.store
        engine: Any = self._store.engine
        self._sql = engine._memory
        memory.put("n", "k", 0)

    def explore(self, clients: list[Client], ticks: int) -> int:
        """How many states there are; raises `Broken` at the first that is wrong."""
        first = State(self._rows(), Promise(), tuple(clients), ticks)
        came: dict[State, tuple[State, str] | None] = {first: None}
        waiting = deque([first])
        while waiting:
            state = waiting.popleft()
            for step, who in _steps(state):
                self._go_to(state)
                try:
                    after = self._take(state, step, who)
                except AssertionError as error:
                    way = [f"{who}:{step}"]
                    back = came[state]
                    while back is not None:
                        way.append(back[1])
                        back = came[back[0]]
                    raise Broken(f"{error} after {' '.join(reversed(way))}") from error
                if after not in came:
                    came[after] = (state, f"{who}:{step}")
                    waiting.append(after)
        return len(came)

    def _take(self, state: State, step: str, who: int) -> State:
        if step == "tick":
            self._clock.ms += TICK_MS
            return state._replace(promise=state.promise.tick(TICK_MS), ticks=state.ticks - 1)
        promise, client = state.promise, state.clients[who]
        written = state.written
        match step:
            case "ask":
                promise, client = self._ask(promise, client, who)
            case "leave":
                leases.withdraw(self._store, RESOURCE, _ticket(who))
                promise, client = promise.leave(who), client._replace(stage="done")
            case "begin":
                ok = not self._outside or self._passes(client, who)
                client = client._replace(stage="writing", checked=ok)
            case "write":
                accepted = self._write(client, who)
                assert accepted == promise.may_write(client.token), f"write accepted: {accepted}"
                assert not accepted or client.token >= written, "a stale write was accepted"
                written = max(written, client.token) if accepted else written
                client = client._replace(stage="holding", writes=client.writes - 1, checked=True)
            case "renew":
                promise, expected = promise.renew(client.token)
                assert self._renew(client, who) == expected, "renewed against the model"
                client = client._replace(renewals=client.renewals - 1)
            case "release":
                promise, expected = promise.release(client.token)
                given = leases.release(self._store, _lease(client, who))
                assert given == expected, "released against the model"
                client = client._replace(stage="idle" if client.asks else "done", token=0)
        clients = tuple(client if n == who else one for n, one in enumerate(state.clients))
        rows = self._rows()
        self._check(rows, promise)
        return State(rows, promise, clients, state.ticks, written)

    def _ask(self, promise: Promise, client: Client, who: int) -> tuple[Promise, Client]:
        wish = Wish(RESOURCE, f"c{who}", TTL_MS, Mode(client.mode), _ticket(who), waits=True)
        outcome = leases.ask(self._store, wish)
        after, token = promise.ask(who, client.mode)
        asks = client.asks - (client.stage == "idle")
        if isinstance(outcome, Waiting):
            assert token is None, "refused, though nothing is in the way"
            return after, client._replace(stage="waiting", asks=asks)
        assert token is not None, f"token {outcome.fence.n} granted too early"
        assert outcome.fence.n > promise.tokens, f"token {outcome.fence.n} given twice"
        assert outcome.fence == Fence(0, token)
        return after, client._replace(stage="holding", token=token, asks=asks, writes=1)

    def _write(self, client: Client, who: int) -> bool:
        lease = None if self._outside else _lease(client, who)
        try:
            if client.checked:
                self._memory.put("n", "k", client.token, lease=lease)
        except (StaleLease, LeaseReads):
            return False
        return client.checked

    def _passes(self, client: Client, who: int) -> bool:
        read = self._store.engine.read
        now_ms = clock_ms(self._store, read("lease_now"))
        grants = grants_of(read("lease_grant", (RESOURCE, client.token)), self._store.url)
        try:
            check_fence(_lease(client, who), grants, now_ms)
        except MemtendError:
            return False
        return True

    def _renew(self, client: Client, who: int) -> bool:
        try:
            leases.renew(self._store, _lease(client, who), TTL_MS)
        except StaleLease:
            return False
        return True

    def _check(self, rows: tuple[Rows, ...], promise: Promise) -> None:
        """What the store has in its rows is what was promised, and breaks no law by itself."""
        _, granted, tickets = rows
        now = self._clock.now_ms()
        alive = [row for row in granted if now < row[5]]
        for n, one in enumerate(alive):
            for other in alive[:n]:
                assert not CONFLICTS[one[4], other[4]], f"{one} beside {other}"
        have = [(row[1], int(row[3][1:]), row[4], row[5]) for row in granted]
        base = now - promise.now_ms
        assert have == [(*one[:3], one.until_ms + base) for one in promise.granted], "who holds"
        queue = [(int(row[4][1:]), row[3], row[5]) for row in tickets]
        assert queue == [(*one[:2], one.until_ms + base) for one in promise.queue], "who waits"

    def _rows(self) -> tuple[Rows, ...]:
        order = {"lease_ticket": "number"}
        return tuple(
            tuple(self._sql.execute(f"SELECT * FROM {name} ORDER BY {order.get(name, '1, 2')}"))
            for name in TABLES
        )

    def _go_to(self, state: State) -> None:
        self._clock.ms = state.promise.now_ms
        for (name, width), rows in zip(TABLES.items(), state.rows, strict=True):
            self._sql.execute(f"DELETE FROM {name}")
            marks = ",".join("?" * width)
            self._sql.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


def _steps(state: State) -> Iterator[tuple[str, int]]:
    if state.ticks:
        yield "tick", -1
    for who, client in enumerate(state.clients):
        match client.stage:
            case "idle" if client.asks:
                yield "ask", who
            case "waiting":
                yield "ask", who
                yield "leave", who
            case "holding":
                if client.writes:
                    yield "begin", who
                if client.renewals:
                    yield "renew", who
                yield "release", who
            case "writing":
                yield "write", who


def _ticket(who: int) -> str:
    return f"ticket-{who}"


def _lease(client: Client, who: int) -> Lease:
    return Lease(
        resource=RESOURCE, holder=f"c{who}", fence=Fence(0, client.token), mode=Mode(client.mode),
        expires_at=_WHENEVER,
    )  # fmt: skip
