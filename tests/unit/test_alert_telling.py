"""Who is told what, and when again; and how it reads."""

from __future__ import annotations

from typing import Any

import pytest

from memtend.alerting import telling
from memtend.alerting.telling import Notice, Why, due
from memtend.alerting.wording import body, kind_of, title, trial
from memtend.limits_upkeep import ALERT_CHANNELS_MAX, ALERT_SHOWN_MAX, ALERT_TELLING_MS
from memtend.model.alert import Alert, AlertLevel, AlertState, Kept, Told, matches
from memtend.model.alertpolicy import AlertPolicy

INFO, WARNING, ERROR, CRITICAL = AlertLevel
NOW, DAY = 10**12, 86_400_000
OPEN, ACKNOWLEDGED, RESOLVED = AlertState
BASE = Kept("a" * 32, "health.disk", "store", ERROR, OPEN, "full", "free it", None, NOW, NOW, None,
            1, (NOW,))  # fmt: skip


def kept(told: Told | None = None, **more: Any) -> Kept:
    return BASE._replace(told={"c": told} if told else {}, **more)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (kept(), Why.OPENED),
        (kept(level=WARNING), Why.OPENED),
        (kept(level=INFO), None),
        (kept(state=ACKNOWLEDGED), None),
        (kept(Told(tries=3)), Why.OPENED),
        (kept(Told(NOW, ERROR)), None),
        (kept(Told(NOW, WARNING)), Why.RAISED),
        (kept(Told(NOW, CRITICAL)), None),
        (kept(Told(NOW - DAY + 1, ERROR)), None),
        (kept(Told(NOW - DAY, ERROR)), Why.REMINDER),
        (kept(Told(NOW + DAY - 1, ERROR)), None),
        (kept(Told(NOW + 9 * DAY, ERROR)), Why.REMINDER),
        (kept(Told(NOW - DAY, ERROR), state=ACKNOWLEDGED), None),
        (kept(Told(NOW, ERROR, ended=True)), Why.OPENED),
        (kept(state=RESOLVED), None),
        (kept(Told(NOW, ERROR), state=RESOLVED), Why.RESOLVED),
        (kept(Told(NOW, ERROR, ended=True), state=RESOLVED), None),
        (kept(Told(tries=1), state=RESOLVED), Why.RESOLVED),
        (kept(Told(trying_ms=NOW - DAY), state=RESOLVED), Why.RESOLVED),
        (kept(Told(trying_ms=NOW - ALERT_TELLING_MS + 1)), None),
        (kept(Told(trying_ms=NOW - ALERT_TELLING_MS)), Why.OPENED),
        (kept(Told(trying_ms=NOW + DAY)), Why.OPENED),
    ],
)
def test_what_is_due(one: Kept, why: Why | None) -> None:
    assert due(one, "c", AlertPolicy(), False, NOW) is why
    assert due(one, "c", AlertPolicy(), True, NOW) is None  # silenced


def test_reminders_can_be_rarer_or_never() -> None:
    one = kept(Told(NOW - DAY, ERROR))
    assert due(one, "c", AlertPolicy(remind_ms=DAY + 1), False, NOW) is None
    assert due(one, "c", AlertPolicy(remind_ms=None), False, NOW + 99 * DAY) is None
    assert due(kept(), "c", AlertPolicy(tell_from=CRITICAL), False, NOW) is None


def test_each_channel_is_told_by_itself() -> None:
    """One hears of it, the other does not; next time only the other is due."""
    one = kept()
    notice = Notice(Alert.of(one), Why.OPENED)
    one = telling.told(telling.begun(one, "c", NOW), "c", notice, NOW)
    one = telling.failed(telling.begun(one, "d", NOW), "d")
    assert due(one, "c", AlertPolicy(), False, NOW) is None
    assert due(one, "d", AlertPolicy(), False, NOW) is Why.OPENED


def test_what_is_marked_is_what_was_told() -> None:
    """It got worse while the message was under way: that is told next."""
    one = kept(level=WARNING)
    notice = Notice(Alert.of(one), Why.OPENED)
    after = telling.told(one._replace(level=CRITICAL), "c", notice, NOW)
    assert due(after, "c", AlertPolicy(), False, NOW) is Why.RAISED


def test_old_channels_are_forgotten_first() -> None:
    one = kept()
    for n in range(ALERT_CHANNELS_MAX + 3):
        one = telling.told(one, f"c{n}", Notice(Alert.of(one), Why.OPENED), NOW + n)
    assert len(one.told) == ALERT_CHANNELS_MAX
    assert "c2" not in one.told
    assert "new" in telling.begun(one, "new", NOW).told


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("health.disk", True), ("health.*", True), ("*", True), ("*.disk", True), ("h*d*k", True),
        ("health.disk:store", True), ("*:st*", True), ("health", False), ("*.disks", False),
        ("HEALTH.*", False), ("health.disk:agent *", False), ("h*disk*disk", False), ("", False),
    ],
)  # fmt: skip
def test_silences_go_by_pattern(pattern: str, fits: bool) -> None:
    assert matches(pattern, "health.disk", "store") is fits


def notice(why: Why = Why.OPENED, **fields: Any) -> Notice:
    return Notice(Alert.of(BASE._replace(**fields)), why)


def test_a_message_says_the_worst_first_and_what_ended_last() -> None:
    told = [notice(Why.RESOLVED), notice(level=WARNING), notice(Why.RAISED, level=CRITICAL)]
    assert title("notes.db", told) == (
        "memtend: 2 alerts, the worst critical, 1 resolved (notes.db)"
    )
    heads = [part.splitlines()[0] for part in body(told).split("\n\n")]
    assert heads == [
        "CRITICAL raised: health.disk (store): full",
        "WARNING: health.disk (store): full",
        "RESOLVED health.disk (store): was full",
    ]
    assert "free it" in body(told)
    assert title("s", [notice()]) == "memtend: 1 alert, the worst error (s)"
    assert title("s", [notice(Why.RESOLVED)]) == "memtend: 1 resolved (s)"
    assert (kind_of(told), kind_of(told[:1]), kind_of(told[1:2])) == (
        "failure",
        "success",
        "warning",
    )


def test_a_message_has_a_bound() -> None:
    many = [notice() for _ in range(ALERT_SHOWN_MAX + 7)]
    assert body(many).count("ERROR:") == ALERT_SHOWN_MAX
    assert body(many).endswith("and 7 more: memtend alerts list shows all.")


HOSTILE = "ada\r\nBcc: all@evil.example\n<!channel> \x1b[2J @everyone <script>alert(1)</script>"


def test_what_an_agent_chose_for_a_name_stays_text() -> None:
    told = [notice(scope=HOSTILE, fact=HOSTILE), notice(Why.RESOLVED, scope=HOSTILE)]
    for text in (title(HOSTILE, told), *body(told).splitlines()):
        assert not set(text) & set("<>@\r\x1b")
    assert "\n" not in title(HOSTILE, told)
    assert not any(line.startswith("Bcc") for line in body(told).splitlines())


def test_a_trial_says_so() -> None:
    assert "this is a test" in body([trial(NOW, "f" * 32)])
