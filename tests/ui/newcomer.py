"""`python -m tests.ui.newcomer`: walk a newcomer's path in a fresh clone, and record it.

Two recordings and their last screens are written into `docs`: `make demo` to a finished report,
and `make serve` to a backup that was asked for in the browser. Nothing of this checkout is used
but its history; the clone makes an environment of its own. Prints how long each part took.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from memtend.limits import SERVER_START_S_MAX, SERVER_STOP_S_MAX
from tests.flows.scratch import Scratch
from tests.ui.conftest import BROWSERS, FLAGS, Served
from tests.ui.steps import await_state, open_artifact, open_form, submit
from tests.ui.terminal import Recording, Running, picture, screen

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PORT = 4200
LINES = 46


def main() -> int:
    (DOCS / "images").mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="memtend-newcomer-"))
    environment = {
        "HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color",
        "PYTHON": "python3.11",
        "LANG": "C.UTF-8", "PIP_CONFIG_FILE": os.environ.get("PIP_CONFIG_FILE", "/etc/pip.conf"),
        **{name: text for name, text in os.environ.items() if name.startswith("PIP_")},
    }  # fmt: skip
    try:
        _demo(home, environment)
        _serve(home, environment)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


def _demo(home: Path, environment: Mapping[str, str]) -> None:
    """From nothing to a report that can be opened."""
    clone = home / "memtend"
    recording = Recording("make demo", home, str(ROOT))
    recording.run(f"git clone --quiet {ROOT} memtend", home, environment)
    recording.run("make .venv/.dev", clone, environment)
    recording.mark("installed")
    installed_s = recording.seconds
    recording.run("make demo", clone, environment)
    recording.save(DOCS / "casts" / "demo.cast")
    report = next((clone / "demo" / "report").glob("*.html"))
    lines = screen(recording.events)[-LINES:]
    (DOCS / "images" / "demo.svg").write_text(picture(lines, "make demo"))
    size = report.stat().st_size
    print(f"installed {installed_s:.0f} s, report of {size:,} bytes {recording.seconds:.0f} s")


def _serve(home: Path, environment: Mapping[str, str]) -> None:
    """From the demo's store to a backup that somebody asked for in the browser."""
    recording = Recording("make serve", home)
    arguments = f"--store demo/memory.db --target demo/backups --port {PORT}"
    served = Served(f"http://127.0.0.1:{PORT}", Scratch("default", "default"))
    command = f'make serve ARGS="{arguments}"'
    with Running(recording, command, home / "memtend", environment) as running:
        try:
            running.await_text("is serving", SERVER_START_S_MAX)
            up_s = recording.seconds
            recording.mark("in the browser: Deployments, backup, Run, Custom run, Submit")
            _back_up(served)
            recording.mark("completed, and its report is open")
            done_s = recording.seconds
            running.await_text("Completed", SERVER_STOP_S_MAX)
        finally:
            os.killpg(running.process.pid, signal.SIGINT)
            running.process.wait(4 * SERVER_STOP_S_MAX)
    recording.save(DOCS / "casts" / "serve.cast")
    lines = screen(recording.events)[:LINES]
    (DOCS / "images" / "serve.svg").write_text(picture(lines, "make serve"))
    print(f"serving after {up_s:.0f} s, backed up from the browser after {done_s:.0f} s")


def _back_up(served: Served) -> None:
    """Ask for a backup in the form and open its report, as soon as there are deployments."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        end = time.monotonic() + SERVER_START_S_MAX
        while "backup" not in served.deployments() and time.monotonic() < end:
            time.sleep(0.5)
        open_form(page, served, "backup")
        submit(page, served, "backup")
        await_state(page, "Completed")
        open_artifact(page, "backup-report")
        expect(page.get_by_text("Growth of the backups").first).to_be_attached()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
