"""Hooks as real processes: many at once, odd standard inputs, nobody who listens."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memtend.cli.hook_args import HOOKS
from memtend.limits import HOOK_BUSY_WAIT_MS
from memtend.memory import Memory
from memtend.store.verify import verify_store
from tests.fixtures.hooks import event, swarm

MEMTEND = str(Path(sys.executable).parent / "memtend")
WAIT_S_MAX = 120


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MEMTEND_")]:
        monkeypatch.delenv(name)
    Memory.open("memtend.db").close()
    return tmp_path


def begin(*arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([MEMTEND, "hook", *arguments], **{**pipes, **more})


def end(process: subprocess.Popen[bytes], data: bytes = b"") -> tuple[int, bytes, bytes]:
    out, told = process.communicate(data, timeout=WAIT_S_MAX)
    return process.returncode, out, told


def open_file(folder: Path, data: bytes) -> Any:
    """The event in a file, so that no process waits for us to write it."""
    path = folder / f"event-{len(list(folder.iterdir()))}.json"
    path.write_bytes(data)
    return path.open("rb")


def test_twenty_at_once_lose_nothing(folder: Path) -> None:
    sent = [
        json.dumps(event("post-edit", tool_input={"file_path": f"/srv/demo/{n % 5}.py"})).encode()
        for n in range(20)
    ]
    running = [begin("post-edit", stdin=open_file(folder, data)) for data in sent]
    ended = [end(process) for process in running]
    assert ended == [(0, b'{"continue":true,"suppressOutput":true}\n', b"")] * 20
    with swarm() as main:
        home = main.layout.session("5e5510d1-0001").namespace
        assert main.memory.get(home, "edits") == 20
        assert main.memory.members(home, "files") == [f"{n}.py" for n in range(5)]
        assert verify_store(main.memory.store).ok


def test_on_a_database_server(folder: Path, postgres_url: str) -> None:
    Memory.open(postgres_url).close()
    for name in ("session-start", "pre-edit", "post-edit", "pre-task", "post-task", "session-end"):
        data = json.dumps(event(name)).encode()
        ran = end(
            begin(name, "--strict", env=os.environ | {"MEMTEND_STORE_URL": postgres_url}), data
        )
        assert (ran[0], ran[2]) == (0, b"")


def test_a_pipe_that_stays_open_and_silent(folder: Path) -> None:
    reading, writing = os.pipe()
    process = begin("session-start", "--swarm", "demo", stdin=reading)
    out, told = process.communicate(timeout=WAIT_S_MAX)
    os.close(writing)
    os.close(reading)
    assert (process.returncode, out, told) == (0, b"", b"")


def test_a_store_that_stays_locked_is_given_up_soon(folder: Path) -> None:
    """By a writer of ours, who holds the file's lock as well, and by any other program."""
    data, wait_s = json.dumps(event("pre-edit")).encode(), HOOK_BUSY_WAIT_MS // 1_000
    with Memory.open("memtend.db") as memory, memory.store.engine.write():
        first = end(begin("pre-edit"), data)
    with closing(sqlite3.connect("memtend.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        second = end(begin("pre-edit"), data)
    for status, out, told in (first, second):
        assert (status, out) == (0, b'{"continue":true}\n')
        assert f"was busy for {wait_s} s".encode() in told


def test_a_database_server_is_given_up_soon(folder: Path, postgres_url: str) -> None:
    with Memory.open(postgres_url) as memory, memory.store.engine.write() as tx:
        tx.fetch("meta_locked")
        surroundings = os.environ | {"MEMTEND_STORE_URL": postgres_url}
        status, _, told = end(
            begin("pre-edit", env=surroundings), json.dumps(event("pre-edit")).encode()
        )
    assert (status, f"was busy for {HOOK_BUSY_WAIT_MS // 1_000} s".encode() in told) == (0, True)


def test_an_event_that_comes_slowly(folder: Path) -> None:
    data = json.dumps(event("pre-edit")).encode()
    process = begin("pre-edit")
    assert process.stdin is not None
    for start in range(0, len(data), 100):
        process.stdin.write(data[start : start + 100])
        process.stdin.flush()
        time.sleep(0.01)
    assert end(process)[:2] == (0, b'{"continue":true,"suppressOutput":true}\n')


def test_an_event_without_an_end_is_read_and_dropped(folder: Path) -> None:
    """Its writer is not hit by a closed pipe, and the hook keeps no more than it may."""
    status, out, told = end(begin("session-start"), b'{"prompt": "' + b"x" * 40_000_000)
    assert (status, out) == (0, b"")
    assert b"over 16 MiB" in told


def test_no_standard_input_or_output_at_all(folder: Path) -> None:
    for name in HOOKS:
        shell = f"exec {MEMTEND} hook {name} --json <&- >&- 2>&-"
        assert (
            subprocess.run(["bash", "-c", shell], timeout=WAIT_S_MAX, check=False).returncode == 0
        )


def test_a_reader_that_went_away(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = begin("session-start", "--json", stdout=writing)
    os.close(writing)
    status, _, told = end(process, json.dumps(event("session-start")).encode())
    assert (status, b"Traceback" in told) == (0, False)


def test_help_and_nothing_at_all(folder: Path) -> None:
    status, out, _ = end(begin("pre-edit", "--help"))
    assert (status, b"--with-input" in out) == (0, True)
    status, out, told = end(begin())
    assert (status, out, b"no hook" in told) == (0, b"", True)
