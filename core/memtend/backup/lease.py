"""Who may write to a repository, decided in the repository itself.

A claim is an empty-ish object `leases/<purpose>/<expiry>-<holder>`. To acquire: look for living
claims of others, put our own, look again; whoever sees another after putting withdraws. Two
contenders may both withdraw, but never both go on, on any target whose listing shows what has been
put. Conditional creation is not needed, which is as well: some servers accept the condition and
ignore it, and a lease that ran out could not be taken over with it safely.

A holder killed in its work leaves its claim until it expires. Who comes back under the same
holder id takes it over at once; give the same id only where something else ensures that one of
them runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Final, NamedTuple

from memtend.clock import Clock
from memtend.errors import LeaseHeld, MemtendError, StaleLease
from memtend.limits import REPOSITORY_LEASE_MS, REPOSITORY_SKEW_MS
from memtend.objects import ObjectStore

_DIGITS: Final = 16


class Claim(NamedTuple):
    expires_ms: int
    holder: str


class RepositoryLease:
    """Held inside `with`. `renew` often; `check` before what cannot be undone."""

    def __init__(self, store: ObjectStore, purpose: str, holder: str, clock: Clock) -> None:
        self._store = store
        self._folder = f"leases/{purpose}/"
        self._clock = clock
        self._holder = holder
        self._claim = Claim(0, holder)

    def __enter__(self) -> RepositoryLease:
        self._refuse_if_held()
        self._put_claim()
        try:
            self._refuse_if_held()
        except MemtendError:
            self._withdraw()
            raise
        self._clear_old()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._withdraw()

    def renew(self) -> None:
        """Stay the holder, once half of the time is over; `StaleLease` if all of it is."""
        self.check()
        if self._claim.expires_ms - self._clock.now_ms() < REPOSITORY_LEASE_MS // 2:
            self._put_claim()
            self._clear_old()

    def check(self) -> None:
        """Raise `StaleLease` if others may believe by now that we are gone."""
        if self._clock.now_ms() >= self._claim.expires_ms - REPOSITORY_SKEW_MS:
            raise StaleLease(resource=self._folder.strip("/"), token=self._claim.expires_ms)

    def _refuse_if_held(self) -> None:
        now = self._clock.now_ms()
        for claim in self._claims():
            left_ms = claim.expires_ms + REPOSITORY_SKEW_MS - now
            if claim.holder != self._holder and left_ms > 0:
                raise LeaseHeld(
                    resource=f"{self._store.url} ({self._folder.strip('/')})",
                    holder=claim.holder,
                    left_s=left_ms / 1_000,
                )

    def _put_claim(self) -> None:
        claim = Claim(self._clock.now_ms() + REPOSITORY_LEASE_MS, self._holder)
        self._store.put_if_absent(self._name(claim), b"memtend lease\n")
        self._claim = claim

    def _clear_old(self) -> None:
        """Remove our earlier claims and those that ran out."""
        now = self._clock.now_ms()
        for claim in self._claims():
            over = claim.expires_ms + REPOSITORY_SKEW_MS <= now
            if over or (claim.holder == self._holder and claim != self._claim):
                self._store.delete(self._name(claim))

    def _withdraw(self) -> None:
        try:
            self._store.delete(self._name(self._claim))
        except MemtendError:
            return  # it runs out by itself; the work must not fail for it

    def _claims(self) -> Iterator[Claim]:
        for info in self._store.list(self._folder):
            expiry, _, holder = info.name.removeprefix(self._folder).partition("-")
            if expiry.isdecimal() and holder:
                yield Claim(int(expiry), holder)

    def _name(self, claim: Claim) -> str:
        return f"{self._folder}{claim.expires_ms:0{_DIGITS}d}-{claim.holder}"
