"""Server, UI and every schedule with one command: `python -m memtend_flows.serve`.

Two processes are started and watched: Prefect's server with its UI, and the runner. When this
one is told to stop, or one of the two ends, both are ended and nothing is left running. Prefect's
own files lie in a folder beside the store.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from rich.console import Console
from rich.markup import escape

from memtend.limits import SERVER_START_S_MAX, SERVER_STOP_S_MAX
from memtend.settings import Settings
from memtend_flows.home import prefect_environment, prefect_home
from memtend_flows.prepare import prepare
from memtend_flows.program import run_program
from memtend_tasks.place import absolute, shown

_POLL_S = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    return run_program(lambda: _serve(_parser().parse_args(arguments)), arguments)


def _serve(options: argparse.Namespace) -> int:
    talk = Console(stderr=True, highlight=False)
    if not is_free(options.host, options.port):
        talk.print(f"[red]port {options.port} is in use[/]; choose another with --port")
        return 1
    url = f"http://{options.host}:{options.port}"
    home = options.home or prefect_home(options.store)
    home.mkdir(parents=True, exist_ok=True)
    records = prepare(options.store, talk)
    environment = prefect_environment(home, os.environ) | {
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_UI_API_URL": "/api",  # of the same server, by whatever name it is reached
        "MEMTEND_STORE_URL": absolute(options.store),
        "MEMTEND_BACKUP_URL": absolute(options.backup),
        "MEMTEND_PLANS_URL": absolute(Settings().plans_url),
        "MEMTEND_MODELS_URL": absolute(Settings().models_url),
        "MEMTEND_EXPORT_URL": absolute(Settings().export_url),
        "MEMTEND_REPORT_URL": absolute(Settings().report_url),
    }
    if (source := Settings().import_source) is not None:
        environment["MEMTEND_IMPORT_SOURCE"] = absolute(source)
    if "archive_url" in Settings().model_fields_set:  # otherwise the store knows where it is
        environment["MEMTEND_ARCHIVE_URL"] = absolute(Settings().archive_url)
    if (key_file := Settings().backup_key_file) is not None:
        environment["MEMTEND_BACKUP_KEY_FILE"] = str(key_file.absolute())
    signal.signal(signal.SIGTERM, _stop)
    place = ("--host", options.host, "--port", str(options.port))
    try:
        with _child(("prefect", "server", "start", *place), environment) as server:
            if not _wait_until_up(f"{url}/api/health", server):
                talk.print("[red]the server did not start[/]; its messages are above")
                return 1
            with _child(("memtend_flows.runner", "beside"), environment) as runner:
                talk.print(f"[bold green]memtend is serving[/]  {url}")
                store, backups = (
                    escape(shown(environment[name]))
                    for name in ("MEMTEND_STORE_URL", "MEMTEND_BACKUP_URL")
                )
                talk.print(f"  store    {store}, {records:,} records")
                talk.print(f"  backups  {backups}")
                talk.print(f"  prefect  {escape(str(home))}\nStop with Ctrl-C.")
                return _watch(server, runner)
    except KeyboardInterrupt:
        talk.print("stopped")
        return 0


def _parser() -> argparse.ArgumentParser:
    settings = Settings()
    parser = argparse.ArgumentParser(prog="memtend serve", description=__doc__.splitlines()[0])
    parser.add_argument("--store", default=settings.store_url, help="URL or path of the store")
    target = ("--backup", "--target")
    parser.add_argument(*target, default=settings.backup_url, help="where backups go")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=4200, help="port of server and UI")
    parser.add_argument("--home", type=Path, help="folder for Prefect's own files")
    return parser


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) != 0


@contextmanager
def _child(module: tuple[str, ...], environment: dict[str, str]) -> Iterator[Popen[bytes]]:
    """A Python process in a group of its own, so that what it starts ends with it."""
    command = (sys.executable, "-m", *module)
    process = Popen(command, env=environment, start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        _end(process)


def _end(process: Popen[bytes]) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(SERVER_STOP_S_MAX)
        except ProcessLookupError:
            process.wait()
            return
        except TimeoutExpired:
            continue


def _wait_until_up(url: str, server: Popen[bytes]) -> bool:
    deadline = time.monotonic() + SERVER_START_S_MAX
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=_POLL_S * 10):  # noqa: S310 - our own server
                return True
        except (URLError, OSError):
            time.sleep(_POLL_S)
    return False


def _watch(*processes: Popen[bytes]) -> int:
    """Wait for the first to end; that is a failure, for both should go on."""
    while True:
        for process in processes:
            if process.poll() is not None:
                return process.returncode or 1
        time.sleep(_POLL_S)


if __name__ == "__main__":
    sys.exit(main())
