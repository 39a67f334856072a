"""What people see: progress, colour, sizes; and that stored text stays text."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend import cli as program
from memtend.cli import show
from memtend.errors import StoreBusy
from tests.fixtures.cli import Cli


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error and output as one terminal, from now on: pytest sets its own before a test."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return made


@given(st.text())
def test_nothing_that_is_shown_holds_a_control_character(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in show.clean(text))


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1_023, "1,023 B"), (1_024, "1.0 KiB"), (5 * 1024**3, "5.0 GiB")],
)
def test_sizes_read_easily(count: int, shown: str) -> None:
    assert show.size(count) == shown


def test_only_json_values_are_printed_as_json() -> None:
    assert show._plain({1}) == [1]
    assert show._plain(b"\xff") == "ff"
    with pytest.raises(TypeError):
        show._plain(object())


def test_a_bar_follows_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails is no failure of the work."""
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(show, "FOLLOW_S", 0.001)
    looked = Event()
    answers = iter([3, None, 99])

    def done() -> int:
        answer = next(answers, 0)
        if answer == 99:
            looked.set()
        if answer is None:
            raise StoreBusy(url="x", waited_s=1, why="busy")
        return answer

    with show.counting("working", 10, done):
        assert looked.wait(60)
    assert "working" in terminal.getvalue()


def test_a_spinner_says_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with show.waiting("reading"):
        pass
    assert "reading" in terminal.getvalue()


def test_without_a_terminal_nothing_moves(capsys: pytest.CaptureFixture[str]) -> None:
    with show.waiting("reading"), show.counting("working", 1, lambda: 1):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_value_is_coloured_on_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the entry point itself, which leaves a hook for what nobody foresaw."""
    cli("put", "n", "k", '{"a": 1}')
    monkeypatch.setattr(sys, "argv", ["memtend", "get", "n", "k"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    terminal = on_terminal(monkeypatch)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 0
    assert "\x1b[" in terminal.getvalue()


def test_what_is_missing_from_the_ballast_is_told(cli: Cli, tmp_path: Path) -> None:
    """No room is laid down where a folder is in the way."""
    (tmp_path / "memtend.db.ballast-4").unlink()
    (tmp_path / "memtend.db.ballast-4").symlink_to(tmp_path / "nowhere" / "file")
    ran = cli("ballast", "refill")
    assert "3 of 4" in ran.told
    assert "free space" in ran.told


def test_a_store_without_a_file_has_no_ballast(cli: Cli) -> None:
    assert "no file of ours" in cli("ballast", "--store", "sqlite://").told
