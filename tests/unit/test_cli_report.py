"""`memtend report`: JSON on stdout, talk on stderr, the error's status."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fixtures.cli import Cli


def test_report_writes_one_page(cli: Cli, tmp_path: Path) -> None:
    cli("put", "notes/a", "k", "1", "--agent", "bob")
    found = cli("report", "--json").json
    page = (tmp_path / "memtend-report.html").read_text()
    assert (found["operation"], found["records"], found["score"]) == ("report", 1, 100)
    assert found["bytes"] == len(page.encode())
    assert all(name in page for name in ("notes/a", "bob", "There is no backup"))
    ran = cli("report", "-o", "other.html", "--target", "backups")
    assert ran.status == 0
    assert "other.html" in ran.out
    assert "there is no backup" in (tmp_path / "other.html").read_text()


def test_it_takes_the_right_to_see_everything(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("grant", "bob", "notes/**", "read")
    monkeypatch.setenv("MEMTEND_AGENT", "bob")
    assert cli("report").status == 18
    assert not (tmp_path / "memtend-report.html").exists()


def test_a_missing_package_is_named_before_anything_is_done(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "squarify", None)
    ran = cli("report", "--json")
    assert (ran.status, ran.error["name"]) == (89, "ReportPackageMissing")
    assert "memtend[report]" in ran.error["hint"]
    assert not (tmp_path / "memtend-report.html").exists()


def test_only_a_report_is_replaced(cli: Cli, tmp_path: Path) -> None:
    before = (tmp_path / "memtend.db").read_bytes()
    ran = cli("report", "-o", "memtend.db", "--json")
    assert (ran.status, ran.error["name"]) == (112, "ReportTaken")
    assert (tmp_path / "memtend.db").read_bytes() == before
    (tmp_path / "empty.html").touch()
    for _ in range(2):
        assert cli("report", "-o", "empty.html").status == 0


def test_a_folder_gets_the_report(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert cli("report", "-o", "folder").status == 0
    assert [one.name for one in (tmp_path / "folder").iterdir()] == ["memtend-report.html"]


def test_a_place_that_cannot_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert cli("report", "-o", "file/report.html").status != 0
    assert (tmp_path / "file").read_text() == "x"


def test_what_is_no_plain_file_stays_as_it_is(cli: Cli, tmp_path: Path) -> None:
    """A pipe or a device reads as empty, and a link to nothing as missing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere.html")
    (tmp_path / "folder").mkdir()
    for place in ("pipe", "link", ""):
        ran = cli("report", "-o", place, "--json")
        assert (place, ran.status, ran.error["name"]) == (place, 112, "ReportTaken")
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "nowhere.html").exists()
