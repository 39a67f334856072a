"""How the command fails: statuses, hints, JSON, and input made to break it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from memtend.cli import failing, show
from memtend.cli.app import app
from memtend.cli.docs import commands, errors
from memtend.cli.errors import ExtraMissing
from memtend.errors import StoreMissing
from tests.fixtures.cli import Cli

NAMED = re.compile(r"`memtend ([a-z][a-z-]*)((?: [a-z][a-z-]*)?)")
CORE = Path(show.__file__).parents[1]


def test_an_error_is_one_line_and_a_hint(bare_cli: Cli) -> None:
    ran = bare_cli("get", "n", "k")
    assert (ran.status, ran.out) == (StoreMissing.code, "")
    assert re.fullmatch(r"error \[20\]: .*\nhint: .*`memtend init`.*\n", ran.told)


def test_with_json_an_error_is_one_object(bare_cli: Cli) -> None:
    error = bare_cli("get", "n", "k", "--json").error
    assert error["code"] == 20
    assert error["name"] == "StoreMissing"
    assert error["transient"] is False


@pytest.mark.parametrize(
    "arguments",
    [("get",), ("nonsense",), ("get", "n", "k", "--nonsense"), ("list", "n", "--limit", "0"),
     ("put", "n", "k", "1", "--importance", "2"), ("audit", "nonsense"),
     ("increment", "n", "k", "--by", "x")],
)  # fmt: skip
def test_wrong_usage_is_status_2_and_says_where_help_is(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    ran = cli(*arguments)
    assert (ran.status, "--help" in ran.told) == (2, True)
    assert cli(*arguments, "--json").error["code"] == 2


@pytest.mark.parametrize(
    ("namespace", "key"),
    [("", "k"), ("n", ""), ("../etc", "passwd"), ("n", "a b"), ("n", "k\n"), ("n", "k\0"),
     ("n/" * 20 + "n", "k"), ("n", "x" * 600), ("n", "ключ"), ("n", "\udcff"), ("%s", "k")],
)  # fmt: skip
def test_names_that_are_no_paths_are_status_10(cli: Cli, namespace: str, key: str) -> None:
    ran = cli("put", namespace, key, "1")
    assert (ran.status, "hint:" in ran.told) == (10, True)


@pytest.mark.parametrize("value", ["9007199254740993", "1" * 400, '"\\ud800"', "[1e999]"])
def test_values_that_json_cannot_hold_are_refused(cli: Cli, value: str) -> None:
    """Nothing is rounded, bent or stored half."""
    assert cli("put", "n", "k", value).status in (2, 11)


def test_depth_beyond_the_limit_is_named(cli: Cli) -> None:
    deep = "[" * 65 + "]" * 65
    assert cli("put", "n", "k", deep, "--json").error["name"] == "LimitExceeded"


@pytest.mark.parametrize(
    ("url", "status"),
    [("mysql://host/db", 19), ("no/such/folder.db", 20), (".", 20), ("file.txt", 25)],
)
def test_a_wrong_store_is_named(bare_cli: Cli, tmp_path: Path, url: str, status: int) -> None:
    (tmp_path / "file.txt").write_text("no database, and longer than a header " * 40)
    ran = bare_cli("get", "n", "k", "--store", url)
    assert ran.status in (status, 29)
    assert "hint:" in ran.told


def test_a_password_in_the_address_is_never_told(bare_cli: Cli) -> None:
    url = "postgresql://me:hunter2@127.0.0.1:1/nowhere"
    ran = bare_cli("get", "n", "k", "--store", url)
    assert ran.status == 29
    assert "hunter2" not in ran.told + ran.out


def test_a_wrong_environment_variable_is_named_without_its_value(
    bare_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMTEND_DURABILITY", "hunter2")
    ran = bare_cli("get", "n", "k")
    assert (ran.status, "durability" in ran.told, "hunter2" in ran.told) == (19, True, False)


def test_a_path_without_rights_is_told_plainly(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    ran = cli("init", "--store", "plain/memory.db")
    assert ran.status in (1, 29)
    assert "plain" in ran.told


@pytest.mark.parametrize("group", ["prune history", "alerts list", "ballast refill"])
def test_an_option_that_a_command_would_not_see_is_refused(cli: Cli, group: str) -> None:
    """Else `--store` before the command would quietly be another store."""
    above, below = group.split()
    ran = cli(above, "--store", "another.db", below)
    assert (ran.status, ran.out) == (2, "")
    assert group in ran.told
    assert cli(above, "--json", below).status == 2
    assert cli(above, below, "--json").status == 0


def test_every_command_that_a_hint_names_exists() -> None:
    """A hint sends nobody to a command that is not there."""
    paths = {path.removeprefix("memtend ") for path, _ in commands()}
    groups = {path.split()[0] for path in paths}
    texts = [file.read_text() for file in CORE.rglob("*.py")]
    for first, second in NAMED.findall("\n".join(texts)):
        assert first in groups, first
        if f"{first}{second}" not in paths:
            assert first in paths, f"{first}{second}"


def test_every_error_has_its_own_code_and_a_hint() -> None:
    """Whoever sees the status of a command can tell what happened."""
    kinds = list(errors())
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(0 < kind.code < 128 and kind.hint and kind.message for kind in kinds)


def test_a_module_of_errors_says_which_codes_it_has() -> None:
    """Else whoever looks for a free one takes one that is taken."""
    found: dict[str, set[int]] = {}
    for kind in errors():
        found.setdefault(kind.__module__, set()).add(kind.code)
    for name, codes in found.items():
        if name.startswith("memtend.errors."):
            head = str(sys.modules[name].__doc__).partition(":")[0]
            spans = re.findall(r"(\d+)(?: to (\d+))?", head)
            said = {n for a, b in spans for n in range(int(a), int(b or a) + 1)}
            assert said == codes, name


def test_what_nobody_foresaw_is_told_shortly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trace is for `--verbose`; everybody else gets a line and the way to the trace."""
    monkeypatch.setattr(sys, "argv", ["memtend", "stats"])
    failing.hook(KeyError, KeyError("x"), None)
    told = capsys.readouterr().err
    assert "error [1]: KeyError" in told
    assert "--verbose" in told
    monkeypatch.setattr(sys, "argv", ["memtend", "--verbose", "stats"])
    failing.hook(KeyError, KeyError("x"), None)
    assert "error [1]" not in capsys.readouterr().err


def test_an_unforeseen_error_is_not_passed_off_as_the_callers(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr("memtend.cli.records.value_of", broken)
    with pytest.raises(ValueError, match="ours"):
        cli("put", "n", "k", "1")


def test_json_is_only_asked_for_before_the_double_dash() -> None:
    assert failing.wants_json(["get", "--json"])
    assert not failing.wants_json(["put", "n", "k", "--", "--json"])


@pytest.mark.parametrize("program", ["serve", "demo"])
def test_without_the_extra_the_flows_say_what_to_install(
    bare_cli: Cli, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr("memtend.cli.flows.find_spec", lambda _: None)
    ran = bare_cli(program)
    assert (ran.status, "memtend[flows]" in ran.told) == (ExtraMissing.code, True)


def test_version_and_help(bare_cli: Cli) -> None:
    assert bare_cli("--version").out.startswith("memtend 0.")
    assert bare_cli("--help").status == 0
    assert app.info.name == "memtend"
