"""Eight writers, two readers, a sweeper and a backup at once, and a writer killed every 0.7 s.

How fast it goes is printed and written to a file, never asserted: machines differ.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.crash.shim import run_driver


def test_soak(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seconds = request.config.getoption("--soak-seconds", 8)
    figures, folder = tmp_path / "soak.json", tmp_path / "soak"
    folder.mkdir()
    report = run_driver("soak", seconds, figures, folder, preload=False)
    print(json.dumps(report, indent=2))
    assert (report["lost"], report["seen_though_expired"]) == (0, 0)
    assert report["errors"] == []
    assert report["endings"] == {"exit 0": 12}
    assert (report["damage"], report["backups_whole"]) == (0, True)
    assert min(report["acknowledged"], report["killed"], report["backups"], report["swept"]) > 0
    assert report["read_rounds"] > 0
