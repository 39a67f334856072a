"""`memtend alerts`, with real receivers on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from memtend import Memory
from memtend.model.alert import AlertLevel
from memtend.services import open_services
from tests.fixtures.cli import Cli
from tests.fixtures.sinks import Mailbox, Webhook

SECRETS = ("pa55-word", "t0ken-of-ada", "ada:")


@pytest.fixture
def pressed(cli: Cli) -> Cli:
    """A store with something wrong: its backups are asked for, and there are none."""
    Path("none").mkdir()
    return cli


def check(cli: Cli, *more: str) -> list[str]:
    found = cli("alerts", "check", "--target", "none", "--json", *more).json
    return [one["rule"] for one in found["standing"]]


def test_a_new_store_has_no_alert(cli: Cli) -> None:
    assert "no alert stands" in cli("alerts").told
    assert cli("alerts", "check").status == 0
    assert cli("alerts", "--json").json == {"alerts": [], "silences": []}


def test_check_tells_whom_the_settings_name(
    pressed: Cli, webhook: Webhook, mailbox: Mailbox, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Both hear of it once; the webhook is down at first, and hears of it later."""
    (tmp_path / "urls").write_text(f"# whom to tell\n{webhook.url}\n{mailbox.url}\n")
    monkeypatch.setenv("MEMTEND_ALERT_URLS_FILE", str(tmp_path / "urls"))
    webhook.status = 503
    ran = pressed("alerts", "check", "--target", "none")
    assert ran.status == 88
    assert "mailto #2 was told" in ran.told
    assert "json #1" in ran.told
    assert not any(secret in ran.told + ran.out for secret in SECRETS)
    webhook.status = 200
    assert pressed("alerts", "check", "--target", "none").status == 0
    assert pressed("alerts", "check", "--target", "none").status == 0
    [body] = webhook.bodies
    assert "health.backup (store): there is no backup" in body["message"]
    assert body["title"].endswith("(memtend.db)")
    assert body["type"] == "failure"
    [mail] = mailbox.mails
    assert "memtend:" in str(mail["Subject"])
    assert not any(secret.encode() in Path("memtend.db").read_bytes() for secret in SECRETS)


def test_ack_silence_and_resolve(pressed: Cli) -> None:
    assert check(pressed) == ["health.backup"]
    shown = pressed("alerts", "list").out
    assert all(word in shown for word in ("critical", "open", "health.backup", "no backup"))
    alert = pressed("alerts", "--json").json["alerts"][0]["id"]
    assert "by owner" in pressed("alerts", "ack", alert[:6], "--note", "on it").told
    made = pressed("alerts", "silence", "health.*", "--for", "1h", "--why", "moving", "--json").json
    shown = pressed("alerts").out
    assert all(word in shown for word in ("acknowledged, silenced", "health.*", "moving"))
    assert "told again" in pressed("alerts", "unsilence", made["id"][:6]).told
    assert pressed("alerts", "resolve", alert, "--json").json["state"] == "resolved"
    assert pressed("alerts", "list", "--ended", "5", "--json").json["alerts"][0]["by"] == "owner"
    assert pressed("alerts", "resolve", alert).status == 87
    assert pressed("alerts", "silence", "x", "--for", "soon").status == 2
    assert pressed("alerts", "silence", "x", "--for", "9000d").status == 19


def test_the_test_says_which_address_is_wrong(
    cli: Cli, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nobody to tell" in cli("alerts", "test").told
    monkeypatch.setenv("MEMTEND_ALERT_URLS", f"{webhook.url} {webhook.url}/other")
    assert [one["channel"] for one in cli("alerts", "test", "--json").json] == [
        "json #1",
        "json #2",
    ]
    assert "this is a test" in webhook.bodies[0]["message"]
    webhook.status = 500
    assert cli("alerts", "test").status == 88
    monkeypatch.setenv("MEMTEND_ALERT_URLS", f"{webhook.url} nonsense://pa55-word")
    ran = cli("alerts", "test", "--json")
    assert ran.status == 88
    assert "address #2" in ran.error["message"]
    assert "no address that Apprise understands" in ran.error["message"]
    assert not any(secret in ran.told for secret in SECRETS)


def test_a_wrong_address_keeps_nothing_from_others(
    pressed: Cli, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMTEND_ALERT_URLS", f"pa55-word {webhook.url}")
    ran = pressed("alerts", "check", "--target", "none")
    assert (ran.status, len(webhook.bodies)) == (88, 1)
    assert "pa55-word" not in ran.told
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "pip install 'memtend[alerts]'" in pressed("alerts", "test").told
    monkeypatch.delenv("MEMTEND_ALERT_URLS")
    monkeypatch.setenv("MEMTEND_ALERT_URLS_FILE", "not-there")
    assert pressed("alerts", "check").status == 19
    assert [one["rule"] for one in pressed("alerts", "--json").json["alerts"]] == ["health.backup"]


def test_hostile_names_stay_text(
    cli: Cli, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "<!channel> @everyone\x1b[31m\nBcc: x"
    monkeypatch.setenv("MEMTEND_ALERT_URLS", webhook.url)
    with open_services("memtend.db") as services:
        services.raise_alert("test", AlertLevel.ERROR, f"agent {name}", scope=name)
    assert not set(webhook.bodies[0]["message"]) & set("<>@\x1b")
    for ran in (cli("alerts"), cli("alerts", "check", "--no-tell")):
        assert "\x1b[31m" not in ran.out + ran.told


def test_agents_without_the_right_see_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with Memory.open("memtend.db") as memory:
        memory.config.grant("ada", "notes", "write", "owner")
    monkeypatch.setenv("MEMTEND_AGENT", "ada")
    assert cli("alerts").status == 18


def test_what_to_do_is_said_once_for_all_that_need_it(cli: Cli) -> None:
    Path("policies.yaml").write_text("alerts:\n  agent_bytes: {warning: 1}\n")
    assert cli("policies", "set", "policies.yaml").status == 0
    for agent in ("ada", "bob"):
        assert cli("put", "notes", agent, "1", "--agent", agent).status == 0
    told = cli("alerts", "check").told
    assert (told.count("opened agent.memory"), told.count("agent.memory: `memtend")) == (2, 1)
