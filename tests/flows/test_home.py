"""What memtend starts lives beside the store, calls nobody, and deletes nobody's folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from memtend_flows import demo, serve
from memtend_flows.home import prefect_environment, prefect_home


def test_prefect_lives_beside_the_store(tmp_path: Path) -> None:
    assert prefect_home(f"sqlite:///{tmp_path}/memory.db") == tmp_path / "prefect"
    assert prefect_home(f"{tmp_path}/memory.db") == tmp_path / "prefect"


def test_a_database_server_has_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert prefect_home("postgresql://ada@db/memory") == tmp_path / "prefect"


def test_settings_of_the_user_do_not_leak_in(tmp_path: Path) -> None:
    """Neither a cloud profile nor its key reaches the processes that memtend starts."""
    found = prefect_environment(tmp_path, {"PREFECT_API_KEY": "pnu_x", "PATH": "/bin"})
    assert "PREFECT_API_KEY" not in found
    assert found["PATH"] == "/bin"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_serve_leaves_a_port_in_use_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve.main(["--store", f"{tmp_path}/memory.db", "--port", str(port)]) == 1
    assert "in use" in capsys.readouterr().err


def test_the_demo_empties_no_folder_but_its_own(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work")
    assert demo.main(["--folder", str(tmp_path)]) == 1
    assert precious.exists()


def test_the_demo_runs_in_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    """The main job on the embedded server, in a process of its own, as a user starts it."""
    folder = tmp_path / "demo"
    for old in ("memory.db", "prefect/prefect.db", "sample/lifecycle/x.json", "backups/objects/a"):
        (folder / old).parent.mkdir(parents=True, exist_ok=True)
        (folder / old).write_text("of an earlier demo")
    (folder / ".memtend-demo").touch()
    command = (sys.executable, "-m", "memtend_flows.demo", "--folder", str(folder))
    wide = os.environ | {"COLUMNS": "300"}  # so that no path is broken
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=wide)
    assert ran.returncode == 0, ran.stderr
    assert "Where everything is" in ran.stdout
    assert "import swarm" in ran.stdout
    assert "records pruned" in ran.stdout
    assert "Health: score" in ran.stdout
    [page] = (folder / "report").iterdir()
    assert page.name in ran.stdout
    assert not (folder / "sample/lifecycle/x.json").exists()
