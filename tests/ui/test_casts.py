"""The recordings in the documentation are whole, and tell nothing of the machine they ran on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ui.terminal import Event, Recording, load, picture, screen

DOCS = Path(__file__).parents[2] / "docs"
CASTS = {
    "demo": ("Health: score", "demo/report/"),
    "serve": ("memtend is serving", "Finished in state Completed()", "stopped"),
}
OURS_ONLY = re.compile(r"/(root|work|tmp|home|var)\b|index.url|Looking in indexes")


def test_what_a_command_shows_is_recorded(tmp_path: Path) -> None:
    """With its colours and times; what a spinner erased is not on the last screen."""
    recording = Recording("a try", tmp_path)
    recording.run(
        r"printf '\033[?25lworking\r\033[2K\033[32mdone\033[0m in %s\n' $PWD", tmp_path, os.environ
    )
    recording.mark("looked at")
    recording.save(tmp_path / "try.cast")
    events = load(tmp_path / "try.cast")
    assert screen(events)[1] == "\x1b[32mdone\x1b[0m in ~"
    assert events[-1].text == "looked at"


def test_a_picture_names_no_font_to_fetch() -> None:
    shown = picture(["\x1b[32mdone\x1b[0m & dusted"], "a try")
    assert "done" in shown
    assert "@font-face" not in shown
    assert "url(https" not in shown
    assert ElementTree.fromstring(shown).tag.endswith("svg")


@pytest.mark.parametrize("name", CASTS)
def test_a_recording_is_whole(name: str) -> None:
    events = load(DOCS / "casts" / f"{name}.cast")
    assert [one.at_s for one in events] == sorted(one.at_s for one in events)
    text = "\n".join(screen(events))
    assert not [what for what in CASTS[name] if what not in text]


@pytest.mark.parametrize("name", CASTS)
def test_a_recording_tells_nothing_of_the_machine(name: str) -> None:
    events: list[Event] = load(DOCS / "casts" / f"{name}.cast")
    told = "".join(one.text for one in events) + (DOCS / "images" / f"{name}.svg").read_text()
    assert not OURS_ONLY.findall(told)
