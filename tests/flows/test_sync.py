"""The sync runs for real: with everybody registered, with one, and with one that is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.blocks.system import Secret

from memtend.memory import Memory
from memtend.services import open_services
from memtend_flows.sync import sync
from memtend_tasks.address import to_address
from memtend_tasks.errors import StepsFailed
from memtend_tasks.publish import SYNC_ATTENTION
from tests.flows.scratch import LIVE, Scratch
from tests.flows.seen import events, eventually, everything, pages

CANARY = "c4n4ry-peer-pa55w0rd"


@pytest.fixture
def other(scratch: Scratch, tmp_path: Path) -> str:
    """A second store, registered with the first beside a place that both know."""
    path = str(tmp_path / "other.db")
    with Memory.open(path) as memory:
        memory.put("team", "from", "other")
    (tmp_path / "place").mkdir()
    with open_services(scratch.store) as services:
        services.add_peer("other", path)
        services.add_peer("team", str(tmp_path / "place"))
    return path


def test_without_peers_there_is_nothing_to_do(scratch: Scratch) -> None:
    assert sync(scratch.store) == []
    assert "No peers" in pages(f"sync-report-{to_address(scratch.store).label}")[0]


def test_everybody_comes_to_the_same_state(scratch: Scratch, other: str) -> None:
    reports = sync(scratch.store)
    assert [(one.name, one.kind) for one in reports] == [("other", "store"), ("team", "place")]
    with Memory.open(other, create=False) as memory:
        assert memory.stats().records >= LIVE + 1
    with Memory.open(scratch.store, create=False) as memory:
        assert memory.get("team", "from") == "other"
    page = pages(f"sync-report-{to_address(scratch.store).label}")[0]
    assert "| other | Completed | 1 records came" in page


def test_one_that_is_away_holds_up_no_other(scratch: Scratch, other: str, tmp_path: Path) -> None:
    """The run fails and says who it was; the others have everything."""
    Path(other).rename(tmp_path / "away.db")
    with pytest.raises(StepsFailed, match="sync with other of"):
        sync(scratch.store)
    assert list((tmp_path / "place" / "heads").iterdir())
    label = to_address(scratch.store).label
    assert "there is no store" in pages(f"sync-report-{label}")[0]
    [event] = events(SYNC_ATTENTION, f"memtend.store.{label}")
    assert event["payload"]["failed"] == ["other"]


def test_one_peer_is_named_or_addressed(scratch: Scratch, other: str, tmp_path: Path) -> None:
    assert [one.name for one in sync(scratch.store, "other")] == ["other"]
    assert [one.kind for one in sync(scratch.store, str(tmp_path / "place"))] == ["place"]


def test_a_password_lies_in_a_block_of_the_peer_s_name(
    scratch: Scratch, postgres_url: str, tmp_path: Path
) -> None:
    """It goes to the database, and nowhere else: no parameter, page, event or row tells it."""
    Secret(value=postgres_url.replace("memtend@", f"memtend:{CANARY}@")).save("memtend-peer-prod")
    with Memory.open(postgres_url) as memory:
        memory.put("team", "from", "prod")
    with open_services(scratch.store) as services:
        services.add_peer("prod", postgres_url)
    sync(scratch.store)
    with open_services(scratch.store) as services:
        assert services.memory.get("team", "from") == "prod"
        [peer] = services.peers().peers
        assert (peer.name, peer.url) == ("prod", postgres_url)
    told = eventually(lambda: text if "sync with prod" in (text := everything()) else "")
    assert "sync with prod" in told
    assert CANARY not in told
    assert CANARY.encode() not in Path(scratch.store).read_bytes()
