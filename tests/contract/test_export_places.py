"""Where exports go: files, folders, memory, S3. Whole or not there, and nothing else is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from memtend.clock import ManualClock
from memtend.drafting import Put
from memtend.errors import ExportTaken, InvalidName, InvalidSettings, MemtendError
from memtend.export.manifest import NAME, ExportManifest
from memtend.limits import OUTLET_PART_BYTES
from memtend.objects.outlet import Outlet, open_outlet
from memtend.services import Services, open_services
from tests.fixtures.killing import KILLED, die_before, in_child

FORMATS = ("jsonl", "aml-2.0.0", "parquet")


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A URL below which nothing is yet, of each kind in turn; `test_s3` has the third."""
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        return f"memory://{tmp_path.name}"
    return str(tmp_path / "deep" / "place")


@pytest.fixture
def services(clock: ManualClock) -> Iterator[Services]:
    with open_services("sqlite://", clock=clock) as opened:
        item = {"id": "p", "pattern": {}, "agent": "a"}
        opened.memory.put("agent/a/patterns", "p", item)
        opened.memory.put_many([Put("n", f"k{n}", "text " * n) for n in range(50)])
        yield opened


def dest_of(place: str, wanted: str) -> str:
    return f"{place}/memory.jsonl.gz" if wanted == "jsonl" else f"{place}/{wanted}"


def names(url: str) -> list[str]:
    return list(open_outlet(url, ManualClock()).sizes())


class Broken(MemtendError):
    message = "broken on purpose"


def break_at(services: Services, row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The n-th value that is read from now on cannot be; those after it can."""
    text_of, calls = services.store.text_of, [0]

    def breaking(*given: Any) -> bytes:
        calls[0] += 1
        if calls[0] == row:
            raise Broken
        return text_of(*given)

    monkeypatch.setattr(services.store, "text_of", breaking)


@pytest.mark.parametrize("wanted", FORMATS)
def test_anywhere(services: Services, place: str, wanted: str) -> None:
    """The same files everywhere; the manifest of a tree names them all, with their lengths."""
    dest = dest_of(place, wanted)
    report = services.apply_export(services.plan_export(dest, wanted))
    outlet = open_outlet(dest, services.clock)
    if wanted == "jsonl":
        assert outlet.is_file()
        data = open_outlet(place, services.clock).read("memory.jsonl.gz", 2**20)
        assert len(data) == report.written_bytes
        return
    manifest = ExportManifest.model_validate_json(outlet.read(NAME, 2**20))
    assert manifest.records == report.records
    assert sorted([NAME, *manifest.files]) == list(outlet.sizes())
    sizes = {name: len(outlet.read(name, 2**20)) for name in manifest.files}
    assert sizes == manifest.files
    assert report.files == len(outlet.sizes())


def test_s3(services: Services, s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamed in parts; an error on the way leaves no file, and no manifest."""
    test_anywhere(services, s3_url, "parquet")
    services.memory.put_many([Put("big", f"k{n}", f"{n}" * 400_000) for n in range(30)])
    report = services.apply_export(services.plan_export(f"{s3_url}/all.jsonl"))
    assert report.written_bytes > OUTLET_PART_BYTES
    tail = b'{"memtend":"end","records":%d}\n' % report.records
    data = open_outlet(s3_url, services.clock).read("all.jsonl", report.written_bytes + 1)
    assert (len(data), data[-len(tail) :]) == (report.written_bytes, tail)
    plan = services.plan_export(f"{s3_url}/parquet", "parquet", replace=True)
    break_at(services, 30, monkeypatch)
    with pytest.raises(Broken):
        services.apply_export(plan)
    assert names(s3_url) == ["all.jsonl"]


@pytest.mark.parametrize("wanted", FORMATS)
def test_only_an_earlier_export_is_replaced(services: Services, place: str, wanted: str) -> None:
    dest = dest_of(place, wanted)
    services.apply_export(services.plan_export(dest, wanted))
    with pytest.raises(ExportTaken):
        services.plan_export(dest, wanted)
    services.memory.put("n", "new", 1)
    plan = services.plan_export(dest, wanted, replace=True)
    report = services.apply_export(plan)
    assert report.records == (1 if wanted == "aml-2.0.0" else 52)
    before = names(place)
    if wanted == "jsonl":
        assert before == ["memory.jsonl.gz"]
        return
    outlet = open_outlet(f"{dest}/mine.txt", services.clock)
    with outlet.single(replace=False) as file:
        file.write(b"not of an export")
    with pytest.raises(ExportTaken, match=r"mine\.txt"):
        services.plan_export(dest, wanted, replace=True)
    assert names(place) == sorted([*before, f"{wanted}/mine.txt"])


def test_what_is_no_export_is_never_replaced(services: Services, place: str) -> None:
    with open_outlet(f"{place}/tree/data.txt", services.clock).single(replace=False) as file:
        file.write(b"somebody's")
    for wanted in ("parquet", "aml-1.2.0"):
        with pytest.raises(ExportTaken):
            services.plan_export(f"{place}/tree", wanted, replace=True)
        with pytest.raises(ExportTaken):
            services.plan_export(f"{place}/tree/data.txt", wanted, replace=True)
    assert names(place) == ["tree/data.txt"]


def test_a_place_that_cannot_be_one(services: Services, tmp_path: Path) -> None:
    for dest, wanted in (
        (f"{tmp_path}/x.json", "jsonl"),
        (f"{tmp_path}/x.jsonl", "parquet"),
        (f"{tmp_path}/x", "xml"),
        ("nowhere://x/y.jsonl", "jsonl"),
    ):
        with pytest.raises(InvalidSettings):
            services.plan_export(dest, wanted)
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "folder.jsonl/file").touch()
    with pytest.raises(ExportTaken):
        services.plan_export(f"{tmp_path}/folder.jsonl", replace=True)
    with pytest.raises(InvalidName):
        services.plan_export(f"{tmp_path}/x.jsonl", pattern="a//b")


@pytest.mark.parametrize(
    "name", ["../up", "/etc/x", "a//b", "", ".", "a/../b", "a\\b", "a\nb", "x" * 300]
)
def test_no_name_leads_out(name: str, place: str, tmp_path: Path) -> None:
    """Whoever writes a tree, its files stay below it."""
    outlet: Outlet = open_outlet(f"{place}/tree", ManualClock())
    with pytest.raises(InvalidName), outlet.tree([]) as tree, tree.file(name) as file:
        file.write(b"out")
    assert names(place) == []


@pytest.mark.parametrize("wanted", FORMATS)
def test_an_error_on_the_way_leaves_nothing_whole(
    services: Services, place: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of lines, and no manifest of a tree; and nothing is in the way of the next one."""
    dest = dest_of(place, wanted)
    plan = services.plan_export(dest, wanted)
    break_at(services, 30, monkeypatch)
    with pytest.raises(Broken):
        services.apply_export(plan)
    assert not any(name.endswith((NAME, ".gz")) for name in names(place))
    if not place.startswith("memory"):
        assert names(place) == []
        services.apply_export(plan)


@pytest.mark.parametrize("wanted", FORMATS)
def test_killed_anywhere(wanted: str, tmp_path: Path, clock: ManualClock) -> None:
    """The export is there as a whole, or there is nothing under its name; so is the one before."""
    url = f"sqlite:///{tmp_path}/store.db"
    with open_services(url, clock=clock) as services:
        services.memory.put("agent/a/patterns", "p", {"id": "p", "pattern": {}})
        services.memory.put("n", "k", 1)
    killed = 0
    for operation in range(1, 300, 5):
        dest = dest_of(str(tmp_path / f"out-{operation}"), wanted)

        def work(dest: str = dest, operation: int = operation) -> None:
            with open_services(url, clock=ManualClock(seed=operation)) as services:
                plan = services.plan_export(dest, wanted)
                die_before(operation)
                services.apply_export(plan)
                os._exit(0)

        status = in_child(work)
        killed += status == KILLED
        with open_services(url, clock=ManualClock(seed=operation + 1_000)) as services:
            if Path(dest).exists():
                report = services.apply_export(services.plan_export(dest, wanted, replace=True))
            else:
                report = services.apply_export(services.plan_export(dest, wanted))
        assert report.records == (1 if wanted == "aml-2.0.0" else 2)
        if wanted != "jsonl":
            assert NAME in names(dest)
        if status == 0:
            break
    assert status == 0
    assert killed > 2


def test_leftovers_of_yesterday_go(services: Services, tmp_path: Path) -> None:
    """What a killed export has left, and nothing else that is beside."""
    dest = tmp_path / "out"
    killed, running = f"out.export-{1:032x}", f"out.export-{2:032x}"
    old, fresh, *others = (
        tmp_path / name for name in (killed, running, "out.exported", "out.export-2024")
    )
    for path in (old, fresh, *others):
        path.mkdir()
        (path / "part").touch()
        os.utime(path, (0, 0))
    now_s = services.clock.now_ms() / 1_000
    os.utime(fresh, (now_s, now_s))
    services.apply_export(services.plan_export(str(dest), "parquet"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out", running, "out.export-2024", "out.exported",
    ]  # fmt: skip
