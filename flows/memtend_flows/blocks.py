"""The Secret blocks behind a name, so that no form ever holds an address with a password.

`memtend blocks init prod` makes `memtend-store-prod`, `memtend-backup-prod` and so on, of what the
environment or a file says, or a person types where nobody sees it. A value is never an argument,
never printed, and never part of an error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from getpass import getpass
from pathlib import Path
from typing import Final

from prefect.blocks.system import Secret

from memtend.errors import InvalidSettings
from memtend.limits import SECRET_CHARS_MAX
from memtend.settings import Settings
from memtend_flows.changes import Change, State, carry_out
from memtend_flows.program import run_program
from memtend_flows.server import server
from memtend_flows.showing import show_changes
from memtend_tasks.address import is_block, read_secret
from memtend_tasks.errors import BlockRefused

VARIABLES: Final = {
    "store": "MEMTEND_STORE_URL",
    "backup": "MEMTEND_BACKUP_URL",
    "archive": "MEMTEND_ARCHIVE_URL",
    "export": "MEMTEND_EXPORT_URL",
    "key": "MEMTEND_BACKUP_KEY",
    "peer": "MEMTEND_PEER_URL",
}
"""What a block holds, and the variable or the line of a file that gives it."""
ASKED_FOR: Final = ("store", "backup")
"""What a person is asked for where nothing is given at all."""


class Wish(argparse.Namespace):
    """The options as they were given."""

    name: str
    what: list[str] | None
    source: Path | None
    replace: bool
    plan: bool
    json: bool


def main(arguments: Sequence[str] | None = None) -> int:
    wish = parser().parse_args(arguments, Wish())
    ask = getpass if sys.stdin.isatty() else None
    return run_program(lambda: init(wish, ask), arguments)


def init(wish: Wish, ask: Callable[[str], str] | None) -> None:
    """`ask` None: there is nobody to ask."""
    if not is_block(wish.name):
        why = "a name is lower-case letters, digits and dashes, and not `default`"
        raise BlockRefused(block=wish.name, why=why)
    given = _from_file(wish.source) if wish.source else _from_settings(Settings())
    values = _values(wish, given, ask)
    with server():
        changes = plan(wish.name, values, replace=wish.replace)
        if not wish.plan:
            carry_out(changes)
    show_changes(changes, carried_out=not wish.plan, json=wish.json)


def plan(name: str, values: Mapping[str, str], *, replace: bool) -> list[Change]:
    """What is new, the same, or to be replaced. Raises `BlockRefused`; reads only."""
    changes = []
    for what, value in values.items():
        block = f"memtend-{what}-{name}"
        found = read_secret(block)
        if found == value:
            changes.append(Change("secret block", block, State.UNCHANGED))
            continue
        if found is not None and not replace:
            raise BlockRefused(block=block, why="there is one that holds another value")
        state = State.NEW if found is None else State.CHANGED
        secret: Secret[str] = Secret(value=value)
        save = partial(secret.save, block, overwrite=replace)
        changes.append(Change("secret block", block, state, (), save))
    return changes


def _values(
    wish: Wish, given: Mapping[str, str], ask: Callable[[str], str] | None
) -> dict[str, str]:
    wanted = wish.what or [what for what in VARIABLES if what in given]
    if not wanted and ask is not None:
        wanted = list(ASKED_FOR)
    if not wanted:
        why = f"none of {', '.join(VARIABLES.values())} is given"
        raise BlockRefused(block=f"memtend-store-{wish.name}", why=why)
    values = {}
    for what in wanted:
        block = f"memtend-{what}-{wish.name}"
        value = given.get(what) or (ask(f"{block} (nothing is shown): ") if ask else "")
        if not value.strip():
            raise BlockRefused(block=block, why=f"{VARIABLES[what]} is not given")
        values[what] = value.strip()
    return values


def _from_settings(settings: Settings) -> dict[str, str]:
    """What the environment says, and no default."""
    names = {what: f"{what}_url" for what in VARIABLES if what != "key"}
    set_ = settings.model_fields_set
    found = {what: str(getattr(settings, name)) for what, name in names.items() if name in set_}
    key = settings.backup_secret()
    return found if key is None else found | {"key": key}


def _from_file(path: Path) -> dict[str, str]:
    """Lines such as `MEMTEND_STORE_URL=postgresql://…`; others, and comments, are passed over."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = f"{path} cannot be read ({type(error).__name__})"
        raise InvalidSettings(name="--from", why=why) from None
    if len(text) > SECRET_CHARS_MAX:
        raise InvalidSettings(name="--from", why=f"{path} is too long")
    lines = (line.removeprefix("export ").partition("=") for line in text.splitlines())
    said = {name.strip(): value.strip().strip("\"'") for name, _, value in lines}
    return {what: said[name] for what, name in VARIABLES.items() if said.get(name)}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="memtend blocks init", description=__doc__.splitlines()[0]
    )
    parser.add_argument("name", help="such as prod")
    parser.add_argument("--what", action="append", choices=VARIABLES, help="only this; repeatable")
    parser.add_argument("--from", dest="source", type=Path, help="a file of NAME=value lines")
    parser.add_argument("--replace", action="store_true", help="also what holds another value")
    parser.add_argument("--plan", action="store_true", help="show what would change")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
