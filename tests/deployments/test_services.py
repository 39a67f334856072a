"""The systemd units: read by systemd itself where it is, and by eye and rule everywhere."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memtend.settings import Settings
from memtend_flows.home import prefect_environment
from tests.deployments.starting import unknown

FOLDER = Path(__file__).parents[2] / "deployments" / "systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
DOCKERFILE = FOLDER.parent / "containers" / "Dockerfile"
LEAST = FOLDER / "memtend-.service.d" / "10-least.conf"
EXPOSURE_MAX = 20
"""Of 100; see `systemd-analyze security`. Without the drop-in it is above 90."""


def parsed(path: Path) -> configparser.RawConfigParser:
    """A unit as an INI file: of keys that are given twice, the last."""
    found = configparser.RawConfigParser(strict=False, delimiters="=")
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(path)
    return found


def identify(path: Path) -> str:
    return path.name


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as on a machine where everything lies in this environment."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    here = str(Path(sys.executable).parent)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/memtend/bin", here))
    return folder


@pytest.mark.parametrize("unit", UNITS, ids=identify)
def test_systemd_reads_it_without_a_complaint(unit: Path, installed: Path) -> None:
    if not (analyze := shutil.which("systemd-analyze")):
        assert parsed(unit).sections()  # all that can be said here
        return
    ran = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", f"./{unit.name}"],
        cwd=installed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in ran.stderr.splitlines() if "memtend" in line]
    assert told == []


@pytest.mark.parametrize("unit", [u for u in UNITS if u.suffix == ".service"], ids=identify)
def test_a_unit_may_do_little(unit: Path, installed: Path) -> None:
    service = parsed(unit)["Service"]
    assert "User" not in service  # the drop-in says whose it is, for all
    if analyze := shutil.which("systemd-analyze"):
        ran = subprocess.run(
            [analyze, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
             "--no-pager", f"./{unit.name}"],
            cwd=installed, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout[-200:]


def test_the_drop_in_is_for_all_of_them() -> None:
    """systemd applies the folder `memtend-.service.d` to names that begin with `memtend-`."""
    assert all(unit.name.startswith("memtend-") for unit in UNITS)
    service = parsed(LEAST)["Service"]
    assert service["User"] == "memtend"
    assert service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict"


@pytest.mark.parametrize("unit", [u for u in UNITS if u.suffix == ".service"], ids=identify)
def test_what_is_started_exists_with_its_options(unit: Path) -> None:
    command = parsed(unit)["Service"]["ExecStart"].split()
    assert command[0].startswith("/opt/memtend/bin/")
    assert unknown([Path(command[0]).name, *command[1:]]) == []


@pytest.mark.parametrize("unit", [u for u in UNITS if u.suffix == ".timer"], ids=identify)
def test_a_timer_has_its_service(unit: Path) -> None:
    assert unit.with_suffix(".service").is_file()
    assert parsed(unit)["Timer"]["OnCalendar"]


def test_settings_are_settings() -> None:
    """Also those that stand as comments in the example."""
    text = (FOLDER / "example.environment").read_text()
    named = set(re.findall(r"^(?:# )?(MEMTEND_\w+)=", text, re.M))
    assert named <= {f"MEMTEND_{field.upper()}" for field in Settings.model_fields}
    assert named


@pytest.mark.parametrize("path", [LEAST, DOCKERFILE], ids=identify)
def test_prefect_is_told_what_memtend_serve_tells_it(path: Path) -> None:
    """Heartbeats, leases that outlive the server, and not to call home. Where it lies and how long
    it waits is another matter on each machine."""
    ours = {"PREFECT_HOME", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"}
    ours |= {"PREFECT_RUNNER_POLL_FREQUENCY"}
    told = dict(re.findall(r"\b((?:PREFECT|DO)_\w+)=(\S+)", path.read_text()))
    wanted = prefect_environment(Path("home"), {})
    assert {name: told.get(name) for name in wanted if name not in ours} == {
        name: value for name, value in wanted.items() if name not in ours
    }
