"""Alerts of the open store: checked, told, acknowledged, silenced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from memtend.alerting.states import resolved
from memtend.clock import to_datetime
from memtend.errors import AlertUnknown, InvalidSettings, MemtendError
from memtend.limits_upkeep import (
    ALERT_CHARS_MAX,
    ALERT_LAPSE_MS,
    ALERTS_KEPT_MAX,
    SILENCE_MS_MAX,
    SILENCES_MAX,
)
from memtend.model.alert import STORE_SCOPE, AlertState, shortened
from memtend.serving.judging import Judging
from memtend.serving.measuring import Measuring

if TYPE_CHECKING:
    from memtend.alerting.apply import Looking
    from memtend.alerting.report import AlertReport, Delivery
    from memtend.alerting.telling import Teller
    from memtend.health.report import HealthReport
    from memtend.metrics.figure import Figure
    from memtend.model.alert import Alert, AlertLevel, Kept, Silence


class Alerting(Judging, Measuring):
    """What is wrong is told once to each who is to hear of it. `tellers` None: those of the
    settings; an empty list tells nobody, and what is due stays due."""

    def check_alerts(
        self,
        target: str | None = None,
        health: HealthReport | None = None,
        tellers: Sequence[Teller] | None = None,
        also: Sequence[Teller] = (),
    ) -> AlertReport:
        """Look at figures and health, open and end alerts, tell people; `health`: judged just now.

        What this look cannot see (backups, without a target) stays as it was. `also` are told
        beside the `tellers`.
        """
        from memtend.alerting.looking import look  # noqa: PLC0415

        figures, unread = self._figures(target)
        report = health or self.health(target)
        policy = self.memory.config.file.alerts
        return self._alert(
            lambda held: look(figures, report.checks, policy, held, unread), tellers, also
        )

    def raise_alert(
        self,
        rule: str,
        level: AlertLevel,
        fact: str,
        hint: str = "",
        scope: str = STORE_SCOPE,
        tellers: Sequence[Teller] | None = None,
    ) -> AlertReport:
        """Tell of something that happened, such as a plan that was refused.

        It ends when `end_alert` or somebody says so, or a week after it last happened.
        """
        from memtend.alerting.finding import Finding, Look  # noqa: PLC0415

        found = Finding(rule, shortened(scope), level, fact, hint, lapses_ms=ALERT_LAPSE_MS)
        return self._alert(lambda held: Look((found,)), tellers)

    def end_alert(self, rule: str, scope: str = STORE_SCOPE) -> bool:
        """What `raise_alert` told of is over; whether it stood."""
        from memtend.alerting.apply import end  # noqa: PLC0415

        return end(self.store, rule, scope)

    def alerts(self, ended: int = 0) -> tuple[Alert, ...]:
        """What stands, the worst first, then at most so many that have ended, the newest first."""
        from memtend.store import alerts as kept  # noqa: PLC0415

        found = self._shown(self._kept(self.clock.now_ms()))
        if not ended:
            return found
        return found + self._shown(kept.ended(self.store, min(ended, ALERTS_KEPT_MAX)), sort=False)

    def acknowledge_alert(self, alert_id: str, by: str = "", note: str = "") -> Alert:
        """Somebody is at it: no more reminders, unless it gets worse. The id may be shortened."""
        one = self._standing(alert_id)
        name = by or self._operator()
        return self._change(
            one.id,
            lambda kept: kept._replace(
                state=AlertState.ACKNOWLEDGED, by=name, note=shortened(note)
            ),
        )

    def resolve_alert(self, alert_id: str, by: str = "", note: str = "") -> Alert:
        """End it by hand. While its cause lasts, the next check opens another."""
        one, now_ms = self._standing(alert_id), self.clock.now_ms()
        name = by or self._operator()
        return self._change(one.id, lambda kept: _ended(kept, now_ms, name, shortened(note)))

    def silence_alerts(self, pattern: str, for_ms: int, by: str = "", why: str = "") -> Silence:
        """Tell nobody of the alerts of a pattern for a time; what stands then is told."""
        from memtend.model.alert import Silence  # noqa: PLC0415
        from memtend.store import alerts as kept  # noqa: PLC0415

        if not 0 < for_ms <= SILENCE_MS_MAX:
            raise InvalidSettings(name="silence", why="it lasts for a time, a year at most")
        if not pattern or shortened(pattern) != pattern:
            raise InvalidSettings(name="silence", why=f"1 to {ALERT_CHARS_MAX} characters of text")
        now_ms = self.clock.now_ms()
        made = Silence(
            id=self.clock.new_id(),
            pattern=pattern,
            until=to_datetime(now_ms + for_ms),
            by=by or self._operator(),
            why=shortened(why),
        )
        with kept.alone(self.store) as tx:
            if len(kept.silences_in(tx, now_ms)) >= SILENCES_MAX:
                raise InvalidSettings(name="silence", why=f"there are {SILENCES_MAX} already")
            kept.save_silence(tx, made)
        return made

    def silences(self) -> tuple[Silence, ...]:
        """Those that hold now, the first to end first."""
        from memtend.store import alerts as kept  # noqa: PLC0415

        found = kept.silences(self.store, self.clock.now_ms())
        return tuple(sorted(found, key=lambda one: (one.until, one.id)))

    def unsilence(self, silence_id: str) -> Silence:
        """End a silence now. The id may be shortened."""
        from memtend.store import alerts as kept  # noqa: PLC0415

        found = [s for s in self.silences() if silence_id and s.id.startswith(silence_id)]
        _one_of("silence", silence_id, len(found))
        with kept.alone(self.store) as tx:
            tx.run("forget_silence", (found[0].id,))
        return found[0]

    def test_alerts(self) -> tuple[Delivery, ...]:
        """Tell every address of the settings that this is a test; `why` says of whom it failed."""
        from memtend.alerting.report import Delivery  # noqa: PLC0415
        from memtend.alerting.wording import trial  # noqa: PLC0415

        notice = trial(self.clock.now_ms(), self.clock.new_id())
        told = ((one.name, one.tell(self._called(), [notice])) for one in self._tellers())
        return tuple(Delivery(channel=name, alerts=1, why=why or "") for name, why in told)

    def _alert(
        self, looking: Looking, tellers: Sequence[Teller] | None, also: Sequence[Teller] = ()
    ) -> AlertReport:
        """Written down first: settings that are wrong keep nothing from being known."""
        from memtend.alerting import apply  # noqa: PLC0415
        from memtend.alerting.report import AlertReport  # noqa: PLC0415

        policy = self.memory.config.file.alerts
        decided = apply.write_down(self.store, looking, policy)
        chosen = [*(self._tellers() if tellers is None else tellers), *also]
        told, untold = apply.tell(self.store, self._called(), chosen, policy)
        changed = {one.id: one for one in decided.changed}
        moved = (decided.opened, decided.raised, decided.lowered, decided.resolved)
        opened, raised, lowered, resolved = (
            self._shown([changed[alert_id] for alert_id in ids]) for ids in moved
        )
        return AlertReport(
            at=to_datetime(self.clock.now_ms()),
            opened=opened,
            raised=raised,
            lowered=lowered,
            resolved=resolved,
            told=tuple(told),
            untold=tuple(untold),
            standing=self.alerts(),
            left_out=decided.left_out,
        )

    def _figures(self, target: str | None) -> tuple[tuple[Figure, ...], str]:
        """Those of a store that is damaged cannot be read, and that is what is to be told."""
        try:
            return self.figures(target), ""
        except MemtendError as error:
            return (), str(error)

    def _tellers(self) -> Sequence[Teller]:
        from memtend.alerting.senders import tellers  # noqa: PLC0415

        return tellers(self.settings.alert_addresses(), self.store.key)

    def _kept(self, now_ms: int) -> list[Kept]:
        from memtend.store import alerts as kept  # noqa: PLC0415

        return [one for one in kept.alerts(self.store, now_ms) if one.stands]

    def _standing(self, alert_id: str) -> Kept:
        kept = self._kept(self.clock.now_ms())
        found = [one for one in kept if alert_id and one.id.startswith(alert_id)]
        _one_of("standing alert", alert_id, len(found))
        return found[0]

    def _change(self, alert_id: str, change: Callable[[Kept], Kept]) -> Alert:
        """On what it is now; one that has ended meanwhile stays as it is."""
        from memtend.store import alerts as kept  # noqa: PLC0415

        with kept.alone(self.store) as tx:
            found = kept.alerts_in(tx, self.clock.now_ms())
            standing = [one for one in found if one.id == alert_id and one.stands]
            _one_of("standing alert", alert_id, len(standing))
            changed = change(standing[0])
            kept.save_alerts(tx, [changed])
        return self._shown([changed])[0]

    def _shown(self, found: Sequence[Kept], sort: bool = True) -> tuple[Alert, ...]:
        from memtend.alerting.telling import silenced  # noqa: PLC0415
        from memtend.model.alert import Alert  # noqa: PLC0415

        if sort:
            found = sorted(found, key=lambda one: (-one.level.rank, one.first_ms, one.id))
        quiet = self.silences() if found else ()
        return tuple(Alert.of(one, one.stands and silenced(one, quiet)) for one in found)

    def _called(self) -> str:
        """The store as a message names it: no path, and no password."""
        return self.store.url.rpartition("/")[2] or self.store.url

    def _operator(self) -> str:
        return self.memory.agent or "owner"


def _ended(kept: Kept, now_ms: int, by: str, note: str) -> Kept:
    return resolved(kept, now_ms)._replace(by_hand=True, by=by, note=note or kept.note)


def _one_of(what: str, name: str, count: int) -> None:
    if count != 1:
        why = f": {count} begin with it" if count else ""
        raise AlertUnknown(what=what, name=name, why=why)
