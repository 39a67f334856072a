"""A call loads the part of the command tree that has its command, and finds the same there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer

from memtend.cli import PART_OF
from memtend.cli.app import app
from memtend.cli.root import tree


def commands(program: typer.Typer) -> dict[str, Any]:
    found: Any = typer.main.get_command(program)
    return dict(found.commands)


def helps(command: Any, name: str) -> Iterator[str]:
    """What `--help` says of a command and of those below it."""
    yield command.get_help(typer.Context(command, info_name=name))
    for below, one in getattr(command, "commands", {}).items():
        yield from helps(one, f"{name} {below}")


WHOLE = commands(app)


def test_every_command_has_its_part() -> None:
    """Hooks are run before there is any tree."""
    assert PART_OF.keys() == WHOLE.keys() - {"hook"}


@pytest.mark.parametrize("part", sorted(set(PART_OF.values())))
def test_a_part_alone_has_the_commands_that_the_whole_tree_has(part: str) -> None:
    alone = commands(tree([import_module(f"memtend.cli.{part}")]))
    assert alone.keys() == {name for name, owner in PART_OF.items() if owner == part}
    for name, command in alone.items():
        assert list(helps(command, name)) == list(helps(WHOLE[name], name))
