"""What may be replaced: an earlier export of ours, as it was written, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtend.clock import ManualClock
from memtend.errors import ExportTaken
from memtend.export.manifest import NAME
from memtend.services import Services, open_services


@pytest.fixture
def services(clock: ManualClock) -> Iterator[Services]:
    with open_services("sqlite://", clock=clock) as opened:
        opened.memory.put("agent/a/patterns", "p", {"id": "p", "pattern": {}, "agent": "a"})
        yield opened


def export(services: Services, dest: Path, wanted: str) -> None:
    services.apply_export(services.plan_export(str(dest), wanted, replace=True))


def test_a_forged_manifest_names_nothing_outside(services: Services, tmp_path: Path) -> None:
    dest, precious = tmp_path / "tree", tmp_path / "precious"
    precious.write_bytes(b"somebody's")
    export(services, dest, "aml-2.0.0")
    said = json.loads((dest / NAME).read_bytes())
    said["files"] |= {"../precious": 10, str(precious): 10, "gone": 1}
    (dest / NAME).write_text(json.dumps(said))
    export(services, dest, "aml-2.0.0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious", "tree"]


def test_what_somebody_wrote_into_an_export_stays(services: Services, tmp_path: Path) -> None:
    """The program that the tree was made for may have gone on in it."""
    export(services, tmp_path / "tree", "aml-1.2.0")
    patterns = tmp_path / "tree/memory/a/patterns.json"
    patterns.write_bytes(b"[]")
    with pytest.raises(ExportTaken, match="was changed"):
        export(services, tmp_path / "tree", "aml-1.2.0")
    patterns.unlink()
    patterns.symlink_to("/dev/null")
    with pytest.raises(ExportTaken, match="was changed"):
        export(services, tmp_path / "tree", "aml-1.2.0")
    assert patterns.is_symlink()


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
@pytest.mark.parametrize("data", [b"", b'{"my":"data"}\n', b"\x1f\x8b\x08 no", b"(\xb5/\xfd no"])
def test_a_file_of_somebody_stays(
    services: Services, tmp_path: Path, ending: str, data: bytes
) -> None:
    dest = tmp_path / f"data{ending}"
    dest.write_bytes(data)
    with pytest.raises(ExportTaken, match="no export"):
        export(services, dest, "jsonl")
    assert dest.read_bytes() == data


def test_no_export_takes_the_place_of_a_store(tmp_path: Path, clock: ManualClock) -> None:
    dest = tmp_path / "store.jsonl"
    with open_services(f"sqlite:///{dest}", clock=clock, create=True) as services:
        services.memory.put("n", "k", 1)
        with pytest.raises(ExportTaken):
            export(services, dest, "jsonl")
        assert services.verify_store().ok


def test_neither_a_pipe_nor_a_link(services: Services, tmp_path: Path) -> None:
    """A pipe that nobody writes to is not waited for; behind a link the folder is replaced."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(ExportTaken):
        export(services, tmp_path / "pipe.jsonl", "jsonl")
    export(services, tmp_path / "tree", "aml-2.0.0")
    (tmp_path / "link").symlink_to("tree")
    services.memory.put("agent/b/patterns", "p", {"id": "p", "pattern": {}, "agent": "b"})
    export(services, tmp_path / "link", "aml-2.0.0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe.jsonl", "tree"]
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "tree/memory/b/patterns.json").exists()
