"""docs/howto/s3.md: each policy is enough for what it is for, and refuses what it is not for.

The requests are those of a real client to a real S3 server; a gate before it judges each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from pydantic import SecretStr

from memtend.clock import ManualClock
from memtend.errors import MemtendError, TargetDenied
from memtend.policies import load_policies
from memtend.services import Services, open_services
from memtend.settings import Settings
from tests.fixtures.s3 import BUCKET, S3Server
from tests.fixtures.s3gate import ARN, Gate, s3_gate

PAGE: Final = (Path(__file__).parents[2] / "docs" / "howto" / "s3.md").read_text()
TAKES, KEEPS, RESTORES, READS = (
    json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)
)
COLD: Final = "archive: {rules: [{name: all, namespace: 'team/**', larger_than: 1}]}"
FEW: Final = "retention: {keep_within: 0s, daily: 1, weekly: 0, monthly: 0, yearly: 0}"
TEXT: Final = " ".join(str(n**7) for n in range(1_000))  # which stays large when it is compressed


class World(NamedTuple):
    services: Services
    gate: Gate
    folder: str

    def as_role(self, policy: Mapping[str, Any] | None) -> None:
        """From now on, act under a policy of the page, in this test's folder of the bucket."""
        text = json.dumps(policy)
        for use in ("backups", "archive"):
            text = text.replace(f"example-memtend/{use}/", f"{BUCKET}/{self.folder}/{use}/")
            text = text.replace(f'"{use}', f'"{self.folder}/{use}')
        self.gate.policy = json.loads(text.replace(f"{ARN}example-memtend", f"{ARN}{BUCKET}"))


@pytest.fixture
def world(
    s3_server: S3Server, s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    with s3_gate(s3_server.endpoint) as (address, gate):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        settings = Settings(
            backup_url=f"{s3_url}/backups",
            archive_url=f"{s3_url}/archive",
            plans_url=str(tmp_path / "plans"),
            backup_key=SecretStr("5" * 64),
        )
        place = str(tmp_path / "store.db")
        with open_services(place, settings=settings, clock=ManualClock()) as services:
            yield World(services, gate, s3_url.rpartition("/")[2])


def put(services: Services, n: int) -> None:
    services.memory.put("team/notes", f"k{n}", {"n": n, "text": TEXT})


def test_who_takes_backups_takes_them_and_deletes_none(world: World) -> None:
    services = world.services
    services.memory.config.set_policies(load_policies(FEW), actor="test")
    world.as_role(TAKES)
    for n in range(2):
        put(services, n)
        assert services.take_backup(full=True).records == n + 1
    assert services.find_backup("a run that is not there") is None
    assert not world.gate.denied
    deletes = {asked.resource for asked in world.gate.asked if asked.action == "s3:DeleteObject"}
    assert deletes  # of leases and probes
    with pytest.raises(TargetDenied):
        services.apply_rotation(services.plan_rotation())
    assert len(services.backups().backups) == 2


def test_who_looks_after_them_may_delete(world: World) -> None:
    services = world.services
    services.memory.config.set_policies(load_policies(FEW), actor="test")
    world.as_role(KEEPS)
    for n in range(2):
        put(services, n)
        services.take_backup(full=True)
    services.apply_rotation(services.plan_rotation())
    assert len(services.backups().backups) == 1
    report = services.verify_backup()
    assert report.ok
    services.pin_backup("release")
    assert not world.gate.denied


def test_who_restores_only_reads(world: World, tmp_path: Path) -> None:
    services = world.services
    put(services, 1)
    taken = services.take_backup()
    put(services, 2)
    world.as_role(RESTORES)
    world.gate.asked.clear()
    assert services.drill().ok
    assert services.inspect_backup().manifest == taken.manifest
    services.apply_restore(services.plan_restore())
    assert services.memory.get("team/notes", "k2") is None
    assert not world.gate.denied
    assert {asked.action for asked in world.gate.asked} <= {"s3:GetObject", "s3:ListBucket"}
    with pytest.raises(TargetDenied):
        services.take_backup()


def test_who_reads_what_is_archived_only_reads(world: World) -> None:
    services = world.services
    services.memory.config.set_policies(load_policies(COLD), actor="test")
    put(services, 1)
    world.as_role(None)
    services.apply_archive(services.plan_archive())
    world.as_role(READS)
    world.gate.asked.clear()
    assert services.memory.get("team/notes", "k1")["n"] == 1
    assert world.gate.asked
    assert not world.gate.denied


def test_each_right_of_who_takes_backups_is_needed(world: World) -> None:
    """And with none of them nothing passes: the gate would be of no use otherwise."""
    put(world.services, 1)
    for left_out in ("s3:ListBucket", "s3:GetObject", "s3:PutObject", ""):
        less = json.loads(json.dumps(TAKES))
        for statement in less["Statement"]:
            actions = statement["Action"]
            listed = [actions] if isinstance(actions, str) else actions
            statement["Action"] = [one for one in listed if left_out and one != left_out]
        world.as_role(less)
        with pytest.raises(MemtendError):
            world.services.take_backup()
