"""The main job on a fresh sample, with nothing but this machine: `python -m memtend_flows.demo`.

A store is made in a folder of its own, a sample of agent memory is generated and imported, and
the maintenance cycle runs on Prefect's embedded server. The folder is kept for looking around;
the next demo begins by emptying it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from memtend_flows.home import prefect_environment

_MARK = ".memtend-demo"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="memtend demo", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where the demo lives")
    folder = parser.parse_args(arguments).folder.absolute()
    if not _empty(folder):
        talk = Console(stderr=True)
        talk.print(f"[red]{folder} is no folder of an earlier demo[/]; name another with --folder")
        return 1
    environment = prefect_environment(folder / "prefect", os.environ) | {
        "MEMTEND_STORE_URL": f"sqlite:///{folder / 'memory.db'}",
        "MEMTEND_BACKUP_URL": str(folder / "backups"),
        "MEMTEND_ARCHIVE_URL": str(folder / "archive"),
        "MEMTEND_PLANS_URL": str(folder / "plans"),
        "MEMTEND_REPORT_URL": str(folder / "report"),
        "MEMTEND_MODELS_URL": str(folder / "models"),
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    command = (sys.executable, "-m", "memtend_flows.showcase", str(folder))
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _empty(folder: Path) -> bool:
    """Make the folder new. Only what an earlier demo made is ever deleted."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            return False
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return True


if __name__ == "__main__":
    sys.exit(main())
