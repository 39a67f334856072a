"""Alerts on a real store: kept as they are found, told to each channel once, acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

import pytest
from pydantic import SecretStr

from memtend.alerting.apply import Looking, write_down
from memtend.alerting.finding import Finding, Look
from memtend.alerting.telling import Notice
from memtend.clock import ManualClock, to_datetime
from memtend.errors import AlertUnknown, InvalidSettings
from memtend.health.report import Check, HealthReport, Level
from memtend.limits_upkeep import (
    ALERT_ADDRESSES_MAX,
    ALERT_KEEP_MS,
    ALERT_REMIND_MS,
    ALERT_TELLING_MS,
    ALERTS_KEPT_MAX,
)
from memtend.memory import Memory
from memtend.model.alert import AlertLevel, AlertState
from memtend.model.alertpolicy import AlertPolicy
from memtend.model.record import Labels
from memtend.policies import load_policies
from memtend.services import Services
from memtend.settings import Settings
from memtend.store import alerts as kept_alerts
from memtend.store.store import Store
from tests.fixtures.stores import run_sql

HOUR = 3_600_000
Health = Callable[..., HealthReport]


class Ear:
    """A channel that may be deaf. `while_told` happens while the message is under way."""

    def __init__(self, channel: str = "ear") -> None:
        self.name = self.channel = channel
        self.deaf = False
        self.heard: list[tuple[str, str]] = []
        self.while_told: Callable[[], object] = lambda: None

    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        self.while_told()
        if self.deaf:
            return "deaf"
        self.heard += [(one.alert.rule, one.why.value) for one in notices]
        return None


@pytest.fixture
def services(memory: Memory) -> Services:
    return Services(memory, Settings())


@pytest.fixture
def health(clock: ManualClock) -> Health:
    """A report with these checks at warning, everything else well."""

    def report(*names: str, level: Level = Level.WARNING) -> HealthReport:
        checks = [Check(name=name, level=level, fact="bad", hint="mend it") for name in names]
        return HealthReport(
            at=to_datetime(clock.now_ms()), level=level, healthy=not names, score=50, records=0,
            bytes=0, file_bytes=0, expired_waiting=0, checks=tuple(checks),
        )  # fmt: skip

    return report


def test_an_alert_lives(services: Services, clock: ManualClock, health: Health) -> None:
    """Found, told, reminded of, acknowledged, worse, and over; then kept for a while."""
    ear = Ear()
    [opened] = services.check_alerts(health=health("disk"), tellers=[ear]).opened
    assert not services.check_alerts(health=health("disk"), tellers=[ear]).told
    clock.advance(ALERT_REMIND_MS)
    services.check_alerts(health=health("disk"), tellers=[ear])
    acknowledged = services.acknowledge_alert(opened.id[:8], "ada", "at it")
    assert (acknowledged.state, acknowledged.by) == (AlertState.ACKNOWLEDGED, "ada")
    clock.advance(ALERT_REMIND_MS)
    report = services.check_alerts(health=health("disk"), tellers=[ear])
    assert report.standing == services.alerts()
    assert (report.worst, report.standing[0].note) == (AlertLevel.WARNING, "at it")
    worse = services.check_alerts(health=health("disk", level=Level.CRITICAL), tellers=[ear])
    assert [one.state for one in worse.raised] == [AlertState.OPEN]
    assert len(services.check_alerts(health=health(), tellers=[ear]).resolved) == 1
    told = ["opened", "still open", "raised", "resolved"]
    assert ear.heard == [("health.disk", why) for why in told]
    [ended] = services.alerts(ended=9)
    assert (ended.id, ended.state, ended.seen) == (opened.id, AlertState.RESOLVED, 5)
    clock.advance(ALERT_KEEP_MS)
    services.check_alerts(health=health(), tellers=[])
    assert services.alerts(ended=9) == (ended,)
    clock.advance(1)
    services.check_alerts(health=health(), tellers=[])
    assert services.alerts(ended=9) == ()


def test_who_was_not_reached_is_told_next_time(services: Services, health: Health) -> None:
    deaf, ear = Ear("deaf"), Ear()
    deaf.deaf = True
    report = services.check_alerts(health=health("disk", "clock"), tellers=[deaf, ear])
    assert [(one.channel, one.why) for one in report.untold] == [("deaf", "deaf")]
    assert [(one.channel, one.alerts) for one in report.told] == [("ear", 2)]
    deaf.deaf = False
    services.check_alerts(health=health("disk"), tellers=[deaf, ear])
    assert sorted(deaf.heard) == [("health.clock", "resolved"), ("health.disk", "opened")]
    assert len(ear.heard) == 3


def test_one_that_breaks_holds_up_nobody(services: Services, health: Health) -> None:
    broken, ear = Ear("broken"), Ear()

    def breaks() -> None:
        raise RuntimeError("no host json://user:secret@example")

    broken.while_told = breaks
    report = services.check_alerts(health=health("disk"), tellers=[broken, ear])
    assert [one.why for one in report.untold] == ["it broke: RuntimeError"]
    assert ear.heard == [("health.disk", "opened")]
    broken.while_told = lambda: None
    services.check_alerts(health=health("disk"), tellers=[broken, ear])
    assert broken.heard == ear.heard


def test_as_many_as_may_be_named_are_told_once(services: Services, health: Health) -> None:
    ears = [Ear(f"ear {n}") for n in range(ALERT_ADDRESSES_MAX)]
    for _ in range(3):
        services.check_alerts(health=health("disk"), tellers=ears, also=[Ear("prefect")])
    assert {len(ear.heard) for ear in ears} == {1}
    urls = " ".join(f"json://{n}.example" for n in range(ALERT_ADDRESSES_MAX + 1))
    with pytest.raises(InvalidSettings):
        Settings(alert_urls=SecretStr(urls)).alert_addresses()


def test_what_changes_while_it_is_told_is_not_undone(
    services: Services, clock: ManualClock, health: Health
) -> None:
    """Another check meanwhile tells nothing twice; somebody acknowledges meanwhile."""
    ear = Ear()

    def meanwhile() -> None:
        assert not services.check_alerts(health=health("disk"), tellers=[Ear()]).told
        services.acknowledge_alert(services.alerts()[0].id)

    ear.while_told = meanwhile
    services.check_alerts(health=health("disk"), tellers=[ear])
    ear.while_told = lambda: None
    clock.advance(ALERT_REMIND_MS)
    services.check_alerts(health=health("disk"), tellers=[ear])
    assert services.alerts()[0].state is AlertState.ACKNOWLEDGED
    assert ear.heard == [("health.disk", "opened")]


def test_who_died_while_telling_leaves_it_to_the_next(
    services: Services, clock: ManualClock, health: Health
) -> None:
    """Others leave him two minutes, then it is told again: rather twice than not at all."""
    dying, ear = Ear("c"), Ear("c")

    def die() -> None:
        raise KeyboardInterrupt

    dying.while_told = die
    with pytest.raises(KeyboardInterrupt):
        services.check_alerts(health=health("disk"), tellers=[dying])
    clock.advance(ALERT_TELLING_MS - 1)
    assert not services.check_alerts(health=health("disk"), tellers=[ear]).told
    clock.advance(1)
    services.check_alerts(health=health("disk"), tellers=[ear])
    assert ear.heard == [("health.disk", "opened")]


def test_a_silence_keeps_quiet_for_its_time(
    services: Services, clock: ManualClock, health: Health
) -> None:
    ear = Ear()
    made = services.silence_alerts("health.*:store", HOUR, "ada", "we know")
    report = services.check_alerts(health=health("disk"), tellers=[ear])
    assert report.opened[0].silenced
    assert services.silences() == (made,)
    clock.advance(HOUR - 1)
    assert not services.check_alerts(health=health("disk"), tellers=[ear]).told
    clock.advance(1)
    assert services.check_alerts(health=health("disk"), tellers=[ear]).told
    assert services.silences() == ()
    again = services.silence_alerts("*", HOUR)
    assert services.unsilence(again.id[:8]) == again
    assert services.silences() == ()


def test_what_happened_is_told_until_it_is_over(services: Services, health: Health) -> None:
    ear = Ear()
    services.raise_alert("prune.refused", AlertLevel.ERROR, "too much", tellers=[ear])
    services.check_alerts(health=health(), tellers=[ear])
    assert services.end_alert("prune.refused")
    assert not services.end_alert("prune.refused")
    services.check_alerts(health=health(), tellers=[ear])
    assert ear.heard == [("prune.refused", "opened"), ("prune.refused", "resolved")]


def test_two_looks_at_once_open_one_alert(lasting_url: str, clock: ManualClock) -> None:
    found, decided = Look((Finding("disk", "store", AlertLevel.ERROR, "full"),)), []
    with Memory.open(lasting_url, clock=clock) as one, Memory.open(lasting_url, clock=clock) as two:

        def look(store: Store, looking: Looking) -> None:
            decided.append(write_down(store, looking, AlertPolicy()))

        second = Thread(target=look, args=(two.store, lambda held: found))

        def meanwhile(held: object) -> Look:
            second.start()
            second.join(0.2)  # it waits for this one
            return found

        look(one.store, meanwhile)
        second.join()
        assert sorted(len(each.opened) for each in decided) == [0, 1]
        assert [kept.seen for kept in kept_alerts.alerts(one.store, 0)] == [2]


def test_an_agent_that_grows_is_found_by_its_figures(
    services: Services, memory: Memory, health: Health
) -> None:
    memory.config.set_policies(load_policies("alerts: {agent_bytes: {warning: 1kB}}"), "owner")
    memory.put("notes", "k", [n * n for n in range(600)], labels=Labels(agent="ada"))
    [opened] = services.check_alerts(health=health(), tellers=[]).opened
    assert (opened.rule, opened.scope) == ("agent.memory", "agent ada")
    assert opened.value is not None
    memory.delete("notes", "k")
    assert services.check_alerts(health=health(), tellers=[]).resolved[0].id == opened.id


def test_ids_that_name_nothing_or_several_are_refused(services: Services, health: Health) -> None:
    services.check_alerts(health=health("disk", "clock"), tellers=[])
    for name in ("", "nothing"):
        with pytest.raises(AlertUnknown):
            services.acknowledge_alert(name)
    one = services.alerts()[0]
    assert services.resolve_alert(one.id).state is AlertState.RESOLVED
    with pytest.raises(AlertUnknown):
        services.resolve_alert(one.id)
    services.silence_alerts("*", HOUR)
    for name in ("", "nothing"):
        with pytest.raises(AlertUnknown):
            services.unsilence(name)
    for pattern, for_ms in (("", HOUR), ("\udcff", HOUR), ("x", 0), ("x", 400 * 24 * HOUR)):
        with pytest.raises(InvalidSettings):
            services.silence_alerts(pattern, for_ms)


def test_only_so_many_that_ended_are_kept(
    services: Services, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_alerts, "ALERTS_KEPT_MAX", 2)
    assert ALERTS_KEPT_MAX > 2
    for name in ("a", "b", "c", "d", "e"):
        services.clock.advance(1)  # type: ignore[attr-defined]
        services.check_alerts(health=health(name), tellers=[])
    assert {one.rule for one in services.alerts(ended=9)} >= {"health.e", "health.d", "health.c"}
    assert len(services.alerts(ended=9)) <= 4


def test_bytes_that_are_no_text_are_kept_as_what_can_be_read(
    services: Services, health: Health
) -> None:
    [one] = services.check_alerts(health=health("disk"), tellers=[]).opened
    assert services.acknowledge_alert(one.id, note="caf\udce9").note == "caf?"
    assert services.silence_alerts("x", HOUR, why="\udcff").why == "?"


def test_a_damaged_alert_stops_nothing(damageable: Memory, health: Health) -> None:
    services = Services(damageable, Settings())
    services.check_alerts(health=health("disk"), tellers=[])
    run_sql(damageable, "UPDATE alert SET facts = '{'")
    assert services.alerts() == ()
    assert len(services.check_alerts(health=health("clock"), tellers=[]).opened) == 1
