"""docs/howto/postgresql.md on a real server: its address is all that is exchanged."""

from __future__ import annotations

import re
import subprocess
from doctest import OutputChecker
from pathlib import Path

import pytest

from tests.docs.examples import LOOSELY, commands, environment

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "postgresql.md"
SHOWN = "postgresql://db.example.net/memory"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_page_does_what_it_shows(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [block] = [text for text in BLOCK.findall(PAGE.read_text()) if SHOWN in text]
    _, *script = commands(block)
    assert script
    for text, expected in script:
        done = subprocess.run(
            ["bash", "-c", text], env=environment() | {"MEMTEND_STORE_URL": postgres_url},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
        )  # fmt: skip
        wanted = expected.replace("…", "...")
        assert OutputChecker().check_output(wanted.strip(), done.stdout.strip(), LOOSELY), done
