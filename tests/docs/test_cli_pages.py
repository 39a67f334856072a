"""docs/cli.md and docs/errors.md say what the code says, and every command says what it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from memtend.cli import docs

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = list(docs.commands())


@pytest.mark.parametrize(
    ("name", "page"), [("cli.md", docs.cli_page), ("errors.md", docs.errors_page)]
)
def test_the_page_is_up_to_date(name: str, page: Any) -> None:
    """`make docs` was run since the code changed."""
    assert (DOCS / name).read_text() == page()


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_has_help_and_a_place_in_the_docs(path: str, command: Any) -> None:
    """And so has everything that it takes."""
    assert command.help
    assert all(one.help for one in command.params if one.name != "help")
    assert f"\n## {path}\n" in (DOCS / "cli.md").read_text()


@pytest.mark.parametrize(
    "name",
    ["init", "put", "get", "delete", "list", "search", "stats", "explain", "sweep", "verify",
     "quarantine", "import", "health", "serve", "demo", "policies show", "audit show",
     "backup take"],
)  # fmt: skip
def test_the_promised_commands_are_there(name: str) -> None:
    assert f"memtend {name}" in dict(COMMANDS)


def test_the_pages_are_written_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["docs", str(tmp_path)])
    docs.main()
    assert {file.name for file in tmp_path.iterdir()} == {"cli.md", "errors.md"}
