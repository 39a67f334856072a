"""`memtend serve` on a free port of this machine, and a browser to look at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from memtend.limits import SERVER_START_S_MAX, SERVER_STOP_S_MAX
from memtend_flows.schedules import SERVED
from memtend_flows.serve import is_free
from tests.flows.scratch import Scratch, fill
from tests.ui.camera import Snap, snapper

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 120_000
REPORTS = "https://reports.example/memory"
MISSING = (
    "NO CHROMIUM: nobody looked at the forms and reports in the UI. "
    "Install it: `apt-get install chromium` or `playwright install chromium`"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "folder for the pictures that the documentation shows"
    parser.addoption("--pictures", type=Path, help=text)


class Served(NamedTuple):
    """A running `memtend serve`, the store it tends, and its server's API."""

    url: str
    place: Scratch

    def ask(self, path: str, body: dict[str, Any]) -> Any:
        data = json.dumps(body).encode()
        request = Request(f"{self.url}/api{path}", data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=SERVER_STOP_S_MAX) as answer:
            return json.load(answer)

    def read(self, path: str) -> Any:
        with urlopen(f"{self.url}/api{path}", timeout=SERVER_STOP_S_MAX) as answer:
            return json.load(answer)

    def start(self, deployment: str, parameters: dict[str, Any]) -> str:
        """Ask for a run; its id."""
        path = f"/deployments/{self.deployments()[deployment]}/create_flow_run"
        return str(self.ask(path, {"parameters": parameters})["id"])

    def deployments(self) -> dict[str, str]:
        """Name and id of each."""
        return {str(d["name"]): str(d["id"]) for d in self.ask("/deployments/filter", {})}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    place = Scratch(str(folder / "memory.db"), str(folder / "backups"))
    fill(place.store)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (sys.executable, "-m", "memtend_flows.serve", "--store", place.store)
    options = ("--backup", place.target, "--port", str(port))
    names = {
        f"MEMTEND_{what.upper()}_URL": what for what in ("plans", "archive", "export", "report")
    }
    places = {name: str(folder / place) for name, place in names.items()}
    places["MEMTEND_REPORT_LINK"] = REPORTS
    with (folder / "serve.log").open("w") as log:
        server = subprocess.Popen(
            (*command, *options), stderr=log, stdout=log, env=os.environ | places
        )
        try:
            running = Served(f"http://127.0.0.1:{port}", place)
            _wait_until_serving(running, server, folder / "serve.log")
            yield running
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(4 * SERVER_STOP_S_MAX)
    assert is_free("127.0.0.1", port), "`memtend serve` left its server running"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Gone before other tests begin: while it is there, this thread has a running event loop."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            if os.environ.get("CI"):
                pytest.fail(MISSING)
            warnings.warn(MISSING, stacklevel=1)
            pytest.skip(MISSING)
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield found
        finally:
            found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Of a profile of its own: what one test leaves behind, no other one sees."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()


@pytest.fixture
def snap(page: Page, tmp_path: Path, request: pytest.FixtureRequest) -> Snap:
    shown: Path | None = request.config.getoption("--pictures", default=None)
    return snapper(page, tmp_path, shown)


def _wait_until_serving(running: Served, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SERVER_START_S_MAX
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if len(running.deployments()) == len(SERVED):
                return
        except (URLError, OSError):
            pass
        time.sleep(0.5)
    pytest.fail(f"`memtend serve` did not come up:\n{log.read_text()}")
