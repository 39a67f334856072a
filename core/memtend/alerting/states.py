"""How alerts open, rise, fall and end. Pure: what stands and one look in, what stands now out.

- One subject (rule and scope) has at most one alert that stands.
- What comes back within a day is the same alert, opened again. Who opens for the third time in a
  day is flapping: it stays open until it has been well for hours, so that nobody is called at every
  turn.
- Raised above what somebody acknowledged, it is open again.
- What nobody looked at stays as it was.
- A time that lies ahead was left by a clock that was wrong; nothing waits for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from memtend.alerting.finding import Finding, Look
from memtend.limits_upkeep import (
    ALERT_CALM_MS,
    ALERT_FLAP_MS,
    ALERT_FLAP_OPENINGS,
    ALERT_SAMPLE_MS,
    ALERT_SCOPES_MAX,
)
from memtend.model.alert import AlertState, Kept, shortened


class Decided(NamedTuple):
    """`changed` are all alerts that are not as they were; the others name transitions by id."""

    changed: tuple[Kept, ...] = ()
    opened: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    left_out: int = 0


def decide(kept: Iterable[Kept], look: Look, now_ms: int, new_id: Callable[[], str]) -> Decided:
    """`kept`: what stands, and what ended of late."""
    work = _Work(kept, look, now_ms, new_id)
    found = {finding.subject for finding in look.findings}
    for finding in look.findings:
        work.meet(finding)
    for one in work.standing():
        if one.subject not in found:
            work.miss(one)
    return work.decided()


def resolved(one: Kept, now_ms: int) -> Kept:
    return one._replace(state=AlertState.RESOLVED, ended_ms=now_ms, calm_ms=None)


_MOVES = ("opened", "raised", "lowered", "resolved")


class _Work:
    def __init__(
        self, kept: Iterable[Kept], look: Look, now_ms: int, new_id: Callable[[], str]
    ) -> None:
        self._look, self._now_ms, self._new_id = look, now_ms, new_id
        self._known: dict[tuple[str, str], Kept] = {}
        for one in sorted(kept, key=lambda one: (one.stands, one.last_ms)):
            self._known[one.subject] = one._replace(openings=self._recent(one.openings))
        self._of_rule = Counter(one.rule for one in self._known.values() if one.stands)
        self._changed: dict[str, Kept] = {}
        self._moves: dict[str, list[str]] = {name: [] for name in _MOVES}
        self._left_out = 0

    def standing(self) -> list[Kept]:
        return [one for one in self._known.values() if one.stands]

    def meet(self, finding: Finding) -> None:
        before = self._known.get(finding.subject)
        if before is not None and before.stands:
            self._meet_again(before, finding)
        elif self._of_rule[finding.rule] >= ALERT_SCOPES_MAX:
            self._left_out += 1
        else:
            self._of_rule[finding.rule] += 1
            again = before is not None and not before.by_hand and self._is_late(before.ended_ms)
            self._open(finding, before if again else None)

    def miss(self, one: Kept) -> None:
        """Nothing was found of what stands."""
        now_ms = self._now_ms
        if one.lapses_ms is not None and abs(now_ms - one.last_ms) >= one.lapses_ms:
            self._resolve(one)
        elif not self._look.saw(one):
            return
        elif not (rest_ms := self._rest_ms(one)):
            self._resolve(one)
        elif one.calm_ms is None or one.calm_ms > now_ms:
            self._put(one._replace(calm_ms=now_ms))
        elif now_ms - one.calm_ms >= rest_ms:
            self._resolve(one)

    def decided(self) -> Decided:
        opened, raised, lowered, resolved = (tuple(self._moves[name]) for name in _MOVES)
        changed = tuple(self._changed.values())
        return Decided(changed, opened, raised, lowered, resolved, self._left_out)

    def _open(self, finding: Finding, before: Kept | None) -> None:
        now_ms = self._now_ms
        base = before or Kept(
            self._new_id(), finding.rule, finding.scope, finding.level, AlertState.OPEN, "", "",
            None, now_ms, now_ms, None, 0, (),
        )  # fmt: skip
        opened = self._fresh(base, finding)._replace(
            state=AlertState.OPEN,
            ended_ms=None,
            openings=self._opening(base),
            calm_ms=None,
            by="",
            note="",
        )
        self._put(opened, "opened")

    def _meet_again(self, before: Kept, finding: Finding) -> None:
        after = self._fresh(before, finding)
        if before.calm_ms is not None:  # it seemed well, and is not
            openings = self._opening(before) if before.flapping else before.openings
            after = after._replace(calm_ms=None, openings=openings)
        if after.level.rank > before.level.rank:
            self._put(after._replace(state=AlertState.OPEN), "raised")
        elif after.level.rank < before.level.rank:
            self._put(after, "lowered")
        else:
            self._put(after)

    def _fresh(self, base: Kept, finding: Finding) -> Kept:
        return base._replace(
            level=finding.level,
            fact=shortened(finding.fact),
            hint=shortened(finding.hint),
            value=finding.value,
            last_ms=max(base.last_ms, self._now_ms),
            seen=base.seen + 1,
            wide=self._look.wide,
            lapses_ms=finding.lapses_ms,
            by_hand=False,
        )

    def _rest_ms(self, one: Kept) -> int:
        """How long it must have been well."""
        calm_ms = ALERT_CALM_MS if one.flapping else 0
        return max(calm_ms, ALERT_SAMPLE_MS if one.rule in self._look.sampled else 0)

    def _opening(self, base: Kept) -> tuple[int, ...]:
        late = [ms for ms in base.openings if self._is_late(ms)]
        return (*late[1 - ALERT_FLAP_OPENINGS :], self._now_ms)

    def _recent(self, openings: tuple[int, ...]) -> tuple[int, ...]:
        """What makes an alert flap wears off while it stands."""
        return tuple(ms for ms in openings if self._is_late(ms)) or openings[-1:]

    def _is_late(self, ms: int | None) -> bool:
        """Of this day. A clock that was far ahead may have left a time of another one."""
        return ms is not None and abs(self._now_ms - ms) < ALERT_FLAP_MS

    def _resolve(self, one: Kept) -> None:
        self._put(resolved(one, self._now_ms), "resolved")

    def _put(self, one: Kept, move: str | None = None) -> None:
        self._known[one.subject] = self._changed[one.id] = one
        if move is not None:
            self._moves[move].append(one.id)
