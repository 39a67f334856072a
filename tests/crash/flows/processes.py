"""What can be killed: the server, the host of a lane, the processes of its runs, the database.

Each is started as the deployments say, in a session of its own, and killed with SIGKILL: nothing
that it would have done at its end is done.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psycopg

from memtend_flows.home import prefect_environment
from tests.fixtures import postgres

START_S_MAX = 180


class Program:
    """A Python module as a process that can be killed and started again."""

    def __init__(self, *module: str, env: dict[str, str], log: Path) -> None:
        self._module, self._env, self._log = module, env, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._module],
                env=self._env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def runs(self) -> list[int]:
        """The processes of runs: the last ones below it, but for helpers of multiprocessing."""
        found = below(self._process.pid) if self._process else []
        return [pid for pid in found if not below(pid) and not _helps(pid)]

    def kill(self, *, below_too: bool) -> None:
        """Itself; with `below_too` first stopped, so that it starts nothing meanwhile."""
        if self._process is None:
            return
        if below_too:
            send(self._process.pid, signal.SIGSTOP)
            for child in below(self._process.pid):
                send(child, signal.SIGKILL)
        send(self._process.pid, signal.SIGKILL)
        self._process.wait()


def server_environment(home: Path) -> dict[str, str]:
    """Of a server that is to be, and of whoever talks to it."""
    url = f"http://127.0.0.1:{free_port()}/api"
    return prefect_environment(home, os.environ) | {"PREFECT_API_URL": url}


class Server(Program):
    """Prefect's server and UI on a port that stays the same."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env, self.url = env, env["PREFECT_API_URL"]
        place = ("--host", "127.0.0.1", "--port", str(urlsplit(self.url).port))
        log = Path(env["PREFECT_HOME"]) / "server.log"
        super().__init__("prefect", "server", "start", *place, env=env, log=log)

    def start(self) -> None:
        super().start()
        wait_until(self.answers)

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/health", timeout=2):
                return True
        except (URLError, OSError):
            return False


class Database:
    """A PostgreSQL cluster that comes back on its port with what it had."""

    def __init__(self) -> None:
        binaries = postgres.find_binaries()
        assert binaries is not None, "no PostgreSQL"
        self._user = postgres._unprivileged_user()
        self.home = Path(tempfile.mkdtemp(prefix="memtend-killed-postgres-"))
        if self._user:
            shutil.chown(self.home, self._user)
        self._bin = postgres._reachable(binaries, self._user, self.home)
        self._data = self.home / "data"
        initdb: list[str | Path] = [self._bin / "initdb", "--pgdata", self._data]
        initdb += ["--username", "memtend", "--auth", "trust", "--encoding", "UTF8"]
        postgres._command([*initdb, "--locale", "C", "--no-sync"], self._user)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        return f"postgresql://memtend@127.0.0.1:{self.port}/{name}"

    def create(self, name: str) -> str:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def start(self) -> None:
        wait_until(self._try_to_start)

    def kill(self) -> None:
        """The first process, and each that serves a connection."""
        assert self._process is not None
        send(self._process.pid, signal.SIGSTOP)
        for child in below(self._process.pid):
            send(child, signal.SIGKILL)
        send(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.home)

    def _try_to_start(self) -> bool:
        """What the dead one held of shared memory is given back within moments."""
        options = [f"--{name}={value}" for name, value in postgres.QUICK.items()]
        options.append(f"--unix_socket_directories={self.home}")
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, f"--port={self.port}", *options],
                user=self._user, extra_groups=[] if self._user else None, cwd="/",
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        while self._process.poll() is None:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres")).close()
                return True
            time.sleep(0.05)
        return False


def below(pid: int) -> list[int]:
    """Descendants of a process, the nearest first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(0), [])
        found += children
        waiting += children
    return found


def _helps(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    forked = words == Path(f"/proc/{parent}/cmdline").read_bytes()
    return not forked and (b"resource_tracker" in words or b"forkserver" in words)


def send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: object, most_s: float = START_S_MAX) -> None:
    assert callable(ready)
    deadline = time.monotonic() + most_s
    while not ready():
        assert time.monotonic() < deadline, f"{ready} took more than {most_s} s"
        time.sleep(0.2)
