"""`memtend backup take|list|stream|rekey`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import MemtendError, TargetDenied, TargetUnavailable
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.cli import Cli

KEY, OTHER = "5a" * 32, "a phrase of some length"
WAIT_S_MAX = 60.0


def fill(cli: Cli) -> None:
    cli("put", "notes", "long", "word " * 500)
    cli("put", "notes", "n", "1")


def test_what_changed_is_taken_and_listed(cli: Cli) -> None:
    fill(cli)
    first = cli("backup", "take", "--json").json
    cli("put", "notes", "n", "2")
    told = cli("backup", "take", "--why", "tested")
    assert "incremental, on 1 earlier" in told.out
    assert "2, of which 1 in this backup" in told.out
    full = cli("backup", "take", "--full", "--json").json
    rooted = cli("backup", "take", "--root", "--json").json
    assert (full["kind"], rooted["kind"]) == ("full", "incremental")
    assert rooted["root"] == full["root"]
    found = cli("backup", "list", "--json").json
    assert [one["kind"] for one in found["backups"]] == [
        "incremental", "full", "incremental", "full",
    ]  # fmt: skip
    assert found["backups"][2]["why"] == "tested"
    assert found["backups"][2]["base"] == first["manifest"]
    assert cli("backup", "list", "--limit", "1", "--json").json["total"] == 4
    cli("backup", "pin", "kept", "--manifest", first["manifest"])
    cli("backup", "verify")
    shown = cli("backup", "list").out
    assert shown.count("full") == 2


def test_a_list_of_nothing_is_status_55(cli: Cli) -> None:
    assert cli("backup", "list").status == 55


def test_a_key_encrypts_and_is_changed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(cli)
    monkeypatch.setenv("MEMTEND_BACKUP_KEY", KEY)
    assert cli("backup", "take", "--json").json["encrypted"] is True
    Path("new-key").write_text(f"{OTHER}\n")
    monkeypatch.setenv("MEMTEND_BACKUP_NEW_KEY_FILE", "new-key")
    assert cli("backup", "rekey").status == 0
    refused = cli("backup", "list", "--json")
    assert (refused.status, refused.error["name"]) == (58, "BackupKeyRefused")
    monkeypatch.delenv("MEMTEND_BACKUP_KEY")
    assert cli("backup", "list").status == 58
    monkeypatch.setenv("MEMTEND_BACKUP_KEY_FILE", "new-key")
    assert cli("backup", "list", "--json").json["encrypted"] is True
    assert cli("backup", "take").status == 0
    assert cli("backup", "verify").status == 0


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ({"MEMTEND_BACKUP_KEY": "short"}, 19),
        ({"MEMTEND_BACKUP_KEY_FILE": "missing"}, 19),
        ({"MEMTEND_BACKUP_KEY": KEY, "MEMTEND_BACKUP_KEY_FILE": "missing"}, 19),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_unshown(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, names: dict[str, str], status: int
) -> None:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    ran = cli("backup", "take")
    assert ran.status == status
    assert "short" not in ran.told
    assert KEY not in ran.told


def test_backups_are_listed_without_their_store(cli: Cli) -> None:
    fill(cli)
    assert cli("backup", "list", "--target", "none").status == 55
    cli("backup", "take")
    Path("memtend.db").rename("lost.db")
    ran = cli("backup", "list", "--json")
    assert (ran.status, len(ran.json["backups"])) == (0, 1)
    assert "there is no store" in ran.told
    assert cli("backup", "list", "--target", "none").status == 20


def test_rekey_needs_a_new_key_and_an_encrypted_target(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("backup", "take")
    assert cli("backup", "rekey").status == 19
    monkeypatch.setenv("MEMTEND_BACKUP_NEW_KEY", OTHER)
    assert cli("backup", "rekey").status == 58


@pytest.mark.parametrize(
    "signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGTERM, signal.SIGTERM]]
)
def test_a_stream_follows_the_store_and_ends_in_order(
    cli: Cli, signals: list[signal.Signals]
) -> None:
    """`timeout` sends SIGTERM twice: to the process, and to its group."""
    fill(cli)
    command = [sys.executable, "-m", "memtend.cli", "backup", "stream", "--every", "50ms"]
    with subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        cli("put", "notes", "n", "2")
        second = json.loads(process.stdout.readline())
        for number in signals:
            process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(WAIT_S_MAX) == 0
    assert (first["kind"], second["kind"], second["rows"]) == ("full", "incremental", 1)
    assert rest == ""
    assert cli("backup", "verify").status == 0


def test_a_stream_takes_a_time_between(cli: Cli) -> None:
    for text in ("soon", "0s"):
        assert cli("backup", "stream", "--every", text).status == 2


class Pauses:
    """Does one thing in each pause of a stream, and ends it after the last."""

    def __init__(self, *acts: object) -> None:
        self._acts = list(acts)
        self.paused_s: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.paused_s.append(seconds)
        act = self._acts.pop(0)
        if callable(act):
            act()
        return not self._acts


@pytest.fixture
def services(tmp_path: Path):  # type: ignore[no-untyped-def]
    settings = Settings(backup_url=str(tmp_path / "b"))
    url = f"sqlite:///{tmp_path}/s.db"
    with open_services(url, settings=settings, clock=ManualClock()) as found:
        for n in range(50):
            found.memory.put("notes", f"k{n}", n)
        yield found


def stream(services: Services, pauses: Pauses, missed: list[MemtendError]) -> list[str]:
    reports = services.stream_backups(every_s=10, ended=pauses, missed=missed.append)
    return [one.kind for one in reports]


def test_a_pause_without_changes_takes_nothing_and_the_end_takes_the_rest(
    services: Services,
) -> None:
    put = services.memory.put
    pauses = Pauses(None, None, lambda: put("notes", "k", 1), None, lambda: put("notes", "k", 2))
    assert stream(services, pauses, []) == ["full", "incremental", "incremental"]


def test_settings_are_changes_too(services: Services) -> None:
    config = services.memory.config
    pauses = Pauses(lambda: config.grant("ada", "notes/**", "read", "operator"), None)
    assert stream(services, pauses, []) == ["full", "incremental"]


def test_what_passes_is_tried_again_and_the_rest_ends_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter([TargetUnavailable, None, TargetDenied])
    real = services._take

    def take(*given, **named):  # type: ignore[no-untyped-def]
        kind = next(calls)
        if kind is not None:
            raise kind(url="target", why="test")
        return real(*given, **named)

    monkeypatch.setattr(services, "_take", take)
    missed: list[MemtendError] = []
    pauses = Pauses(None, lambda: services.memory.put("notes", "k", 1), None, None)
    with pytest.raises(TargetDenied):
        stream(services, pauses, missed)
    assert [type(one) for one in missed] == [TargetUnavailable]
