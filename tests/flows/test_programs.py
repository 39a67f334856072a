"""The programs behind `memtend deploy`, `serve` and the like: what they take, how they end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from memtend_flows import deploying, serve
from memtend_flows.deploying import Wish, place_of, work_of
from memtend_flows.deployment import Place
from memtend_flows.program import INTERRUPTED, run_program
from memtend_flows.server import server
from memtend_tasks.errors import ServerRefused


def wish(*arguments: str) -> Wish:
    return deploying.parser().parse_args(arguments, Wish())


def test_the_folder_of_the_runs_is_said_set_or_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never relative, for on the machine of a worker it would be another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEMTEND_HOME", raising=False)
    assert work_of(wish()).folder == str(tmp_path)
    monkeypatch.setenv("MEMTEND_HOME", "/srv/memtend")
    assert work_of(wish()).folder == "/srv/memtend"
    assert work_of(wish("--folder=here")).folder == str(tmp_path / "here")


def test_one_store_has_one_set_of_deployments_wherever_they_are_made() -> None:
    """A path is looked for where the runs will be; names and URLs are as they are."""
    relative = wish("--store=memory.db", "--target=s3://bucket/backups", "--archive=prod")
    found = place_of(relative, "/srv")
    assert found == Place("/srv/memory.db", "s3://bucket/backups", "prod")
    assert place_of(wish("--store=sqlite:///memory.db"), "/srv").label == found.label
    assert place_of(wish(), "/srv") == Place()


def test_serve_leaves_prefect_to_its_children() -> None:
    """Whose environment says what it may not do; here it would speak of its telemetry."""
    look = "import sys, memtend_flows.serve; sys.exit('prefect' in sys.modules)"
    subprocess.run((sys.executable, "-c", look), check=True)


def test_no_error_shows_the_password_of_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    api = "http://ada:hunter2@127.0.0.1:9/api"
    with temporary_settings({PREFECT_API_URL: api, PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert deploying.main([]) == 125
    said = capsys.readouterr().err
    assert "http://127.0.0.1:9/api" in said
    assert "hunter2" not in said


def test_a_server_that_says_no_is_not_an_absent_one(prefect: None) -> None:
    with pytest.raises(ServerRefused, match="405"), server() as client:
        client._client.get("/flow_runs/filter")


def test_errors_of_the_place_and_of_settings_are_told_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    store, home = f"--store={tmp_path}/memory.db", f"--home={tmp_path}/file/prefect"
    assert serve.main([store, home, "--port=1"]) == 1
    assert f"{tmp_path}/file/prefect" in capsys.readouterr().err
    monkeypatch.setenv("MEMTEND_DURABILITY", "sometimes")
    assert serve.main([store]) == deploying.main([]) == 19
    assert "durability" in capsys.readouterr().err


@pytest.mark.parametrize("what", [EOFError, KeyboardInterrupt])
def test_an_interrupt_leaves_no_trace(
    what: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise what

    assert run_program(interrupted) == INTERRUPTED
    assert capsys.readouterr().err == ""
