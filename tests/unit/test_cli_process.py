"""The installed command as its users start it: a process, a pipe, a terminal."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from memtend import Memory, Put
from memtend.clock import SystemClock
from memtend.limits import SWEEP_MARGIN_MS

HEAVY = ("sqlmodel", "sqlalchemy", "alembic", "yaml", "fsspec", "zstandard", "rich", "prefect")
COMMAND = (sys.executable, "-m", "memtend.cli")


def run(
    folder: Path, *arguments: str, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("MEMTEND_")} | more
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, env=plain, input=stdin, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run(tmp_path, "init").returncode == 0
    return tmp_path


def test_status_output_and_talk_go_where_they_belong(folder: Path) -> None:
    stored = run(folder, "put", "n", "k", "-", stdin='{"a": 1}')
    assert (stored.returncode, stored.stdout) == (0, "")
    assert "stored n/k" in stored.stderr
    found = run(folder, "get", "n", "k")
    assert (json.loads(found.stdout), found.stderr) == ({"a": 1}, "")
    assert run(folder, "get", "n", "absent").returncode == 17


def test_get_loads_nothing_that_it_does_not_need(folder: Path) -> None:
    """No ORM, YAML, object storage, compression or table drawing on the way to a value."""
    run(folder, "put", "n", "k", "1")
    program = (
        "import sys; from memtend.cli.app import app\n"
        "try: app(['get', 'n', 'k'])\n"
        "except SystemExit as done: assert not done.code\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1\n", "[]\n")


def test_the_library_loads_what_writes_the_sample_of_accesses_only_to_write_it() -> None:
    program = (
        "import sys, memtend.memory\n"
        "late = {f'memtend.store.{name}' for name in ('accessed', 'ghosts', 'upkeep')}\n"
        "print(sorted(late & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_help_loads_no_store() -> None:
    program = (
        "import sys; from memtend.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'sqlite3', 'orjson', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


def on_terminal(folder: Path, *arguments: str, **more: str) -> str:
    """What a person sees: the command with a terminal as stdout and stderr."""
    leader, follower = pty.openpty()
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=follower,
        stderr=follower, env=plain | {"TERM": "xterm-256color"} | more,
    )  # fmt: skip
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65_536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        seen += part
    process.wait(60)
    os.close(leader)
    return seen.decode()


def test_colour_is_for_terminals_that_want_it(folder: Path) -> None:
    run(folder, "put", "n", "k", '{"a": 1}')
    assert "\x1b[" in on_terminal(folder, "get", "n", "k")
    assert "\x1b[" not in on_terminal(folder, "get", "n", "k", NO_COLOR="1")
    assert "\x1b[" not in on_terminal(folder, "get", "n", "absent", NO_COLOR="1")
    assert "\x1b" not in run(folder, "list", "n").stdout
    assert "Records" in on_terminal(folder, "--help")


def test_long_work_shows_progress_on_a_terminal(folder: Path) -> None:
    past = SystemClock().now_ms() - 2 * SWEEP_MARGIN_MS
    with Memory.open(str(folder / "memtend.db")) as memory:
        memory.put_many(Put("old", f"k{n}", n, expires_at_ms=past) for n in range(1_000))
    swept = on_terminal(folder, "sweep", "--apply")
    assert "/1000" in swept
    assert "deleted" in swept
    assert "verifying" in on_terminal(folder, "verify")
    assert "verifying" not in run(folder, "verify").stderr


def test_a_reader_that_hangs_up_is_no_error_with_a_trace(folder: Path) -> None:
    run(folder, "put", "n", "k", "-", stdin=json.dumps("x" * 200_000))
    command = f"{' '.join(COMMAND)} get n k | head -c 10"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_what_nobody_foresaw_has_a_trace_only_with_verbose(folder: Path) -> None:
    program = (
        "import sys, memtend.cli.app, memtend.cli.records as records\n"
        "def broken(*_, **__): raise KeyError('ours')\n"
        "records.value_of = broken\n"
        "memtend.cli.app.run()"
    )
    for verbose in ([], ["--verbose"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *verbose, "put", "n", "k", "1"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) is bool(verbose)


def test_demo_and_serve_hand_over_to_the_flows(folder: Path) -> None:
    """The status is that of the program behind; a folder that is no demo's is left alone."""
    done = run(folder, "demo", "--folder", ".")
    assert done.returncode == 1
    assert "no folder of an earlier demo" in " ".join(done.stderr.split())
    assert (folder / "memtend.db").exists()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(folder, "serve", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is in use" in done.stderr
