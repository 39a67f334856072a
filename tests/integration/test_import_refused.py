"""One bad item among many blocks nothing but itself, at whatever point it turns out to be bad."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from memtend.clock import ManualClock
from memtend.ingest.batches import Judge
from memtend.ingest.writing import Writer
from memtend.memory import Memory
from memtend.migrate.detect import read_source
from memtend.migrate.importing import ImportReport
from memtend.migrate.items import ImportItem
from memtend.model.policy import Policy, Reading
from memtend.model.policyfile import Quotas
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.verify import verify_store
from tests.fixtures.stores import set_policies

LATER_MS = 1_795_000_000_000
NS = "agent/ada/patterns"
MANY = 10_000
QUOTA_BYTES = 50_000
"""More than a hundred small records of one agent take, less than a large one."""


@pytest.fixture
def services(store_url: str, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(plans_url=str(tmp_path / "plans"), durability="normal")
    with open_services(store_url, clock=ManualClock(LATER_MS), settings=settings) as opened:
        yield opened
        assert verify_store(opened.store).ok


def tree(folder: Path, items: list[object], agent: str = "ada") -> str:
    home = folder / "memory" / agent
    home.mkdir(parents=True, exist_ok=True)
    (home / "patterns.json").write_bytes(orjson.dumps(items))
    return str(folder)


def item(number: int, **more: object) -> dict[str, object]:
    return {"id": f"p{number}", "timestamp": "2025-01-01T00:00:00Z", "note": "x"} | more


def run(services: Services, source: str) -> ImportReport:
    return services.apply_import(services.plan_import(source))


def test_one_bad_item_among_ten_thousand(services: Services, tmp_path: Path) -> None:
    """One that no policy lets in, one with no id, one whose time is garbage."""
    set_policies(services.memory, Policy(pattern=f"{NS}/p77", reading=Reading.SET))
    items: list[object] = [item(n) for n in range(MANY)]
    items[500] = {"note": "no id"}
    items[9_000] = item(9_000, timestamp="yesterday")
    report = run(services, tree(tmp_path / "source", items))
    assert (report.written, report.refused, report.quarantined) == (MANY - 3, 1, 2)
    [refused] = report.refusals
    assert (refused.namespace, refused.key) == (NS, "p77")
    assert "set" in refused.reason
    assert services.memory.stats().records == MANY - 3
    again = run(services, tree(tmp_path / "source", items))
    assert (again.written, again.unchanged, again.refused) == (0, MANY - 3, 1)


def test_what_the_quota_does_not_hold_is_refused_alone(services: Services, tmp_path: Path) -> None:
    quotas = Quotas(agent_bytes=QUOTA_BYTES)
    set_policies(services.memory, quotas=quotas)
    large = item(50, note=[f"{n * 7_919 % 100_003}" for n in range(20_000)])
    source = tree(tmp_path / "source", [large if n == 50 else item(n) for n in range(100)])
    tree(tmp_path / "source", [item(n) for n in range(100)], agent="bob")
    report = run(services, source)
    assert (report.written, report.refused) == (199, 1)
    assert [one.key for one in report.refusals] == ["p50"]
    assert "agent 'ada' would hold" in report.refusals[0].reason


def test_who_writes_between_look_and_write_is_not_overwritten(
    services: Services, tmp_path: Path
) -> None:
    source = tree(tmp_path / "source", [item(n) for n in range(50)])
    items = [one for one in read_source(Path(source)) if isinstance(one, ImportItem)]
    with services._maintaining("import") as lease:
        writer = Writer(services.memory, lease, "run")
        judged = Judge(services.memory).judge(items)
        services.memory.put(NS, "p7", "mine")
        writer.write(judged)
    assert (writer.written, writer.refused) == (49, 1)
    assert writer.refusals[0].reason == "somebody wrote here while it was imported"
    assert [one.value for one in services.memory.siblings(NS, "p7")] == ["mine"]


def test_a_policy_changed_by_another_process_holds_at_once(tmp_path: Path) -> None:
    """The slice is made ready again under the new policy; nothing is written twice."""
    url = f"sqlite:///{tmp_path}/store.db"
    clock = ManualClock(LATER_MS)
    with open_services(url, clock=clock) as mine, Memory.open(url, clock=clock) as other:
        plan = mine.plan_import(tree(tmp_path / "source", [item(n) for n in range(300)]))
        set_policies(other, Policy(pattern=f"{NS}/p7", reading=Reading.MAP))
        report = mine.apply_import(plan)
        assert (report.written, [one.key for one in report.refusals]) == (299, ["p7"])
        assert verify_store(mine.store).ok


def test_times_counts_and_deadlines_arrive(services: Services, tmp_path: Path) -> None:
    """An access count is added once, whatever is read here meanwhile."""
    lifecycle = {"created_at": "2024-01-01T00:00:00Z", "last_used_at": "2025-06-01T00:00:00Z"}
    source = tree(tmp_path / "source", [item(1, lifecycle=lifecycle)])
    run(services, source)
    record = services.memory.read(NS, "p1")
    assert record is not None
    assert record.created_at.isoformat() == "2024-01-01T00:00:00+00:00"
    assert record.accessed_at is not None
    assert record.accessed_at.isoformat() == "2025-06-01T00:00:00+00:00"
    services.memory.get(NS, "p1")
    services.memory.flush()
    tree(tmp_path / "source", [item(1, lifecycle=lifecycle, note="changed")])
    assert run(services, source).written == 1
    changed = services.memory.read(NS, "p1")
    assert changed is not None
    assert (changed.access_count, changed.value["note"]) == (1, "changed")


def test_what_has_outlived_its_policy_stays_out(services: Services, tmp_path: Path) -> None:
    set_policies(services.memory, Policy(pattern="agent/**", ttl_ms=24 * 3_600_000))
    recent = item(1, timestamp=LATER_MS - 3_600_000)
    report = run(services, tree(tmp_path / "source", [recent, item(2)]))
    assert (report.written, report.expired) == (1, 1)
    record = services.memory.read(NS, "p1")
    assert record is not None
    assert record.expires_at is not None
    assert round(record.expires_at.timestamp() * 1_000) == LATER_MS + 23 * 3_600_000
