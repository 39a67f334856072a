"""What a terminal showed, and when: recordings in asciicast v2, and a still picture of their end.

A recording is made of the real output of a real command in a terminal of its own. Only the folder
in which it ran is written as `~`.
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Thread
from typing import Literal, NamedTuple

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 100, 32
IDLE_S = 1.5  # players make no longer pause than this; the times in the file are as they were
_READ = 65_536
_POLL_S = 0.2
_ERASED = re.compile(r".*(?:\x1b\[2K|\r(?!\n))")
_MOVES = re.compile(r"\x1b\[(?:\?\d+[hl]|\d*[A-KS-T])|\x1b\]8;[^\x1b]*\x1b\\")
_FONTS = re.compile(r"@font-face \{[^}]*\}\s*")


class Event(NamedTuple):
    """`o` is output, `m` a mark at which players can stop."""

    at_s: float
    kind: Literal["o", "m"]
    text: str


class Recording:
    """A terminal that somebody looks at from the moment this is made."""

    def __init__(self, title: str, home: Path, hidden: str = "…") -> None:
        self.title = title
        self.events: list[Event] = []
        self._home = str(home)
        self._hidden = hidden
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def show(self, text: str) -> None:
        """Put a text on the screen, such as the command that is about to run."""
        self._add("o", text)

    def mark(self, text: str) -> None:
        """Say what somebody does beside the terminal."""
        self._add("m", text)

    def run(self, command: str, folder: Path, environment: Mapping[str, str]) -> None:
        """Type a command, and wait for its end; `CalledProcessError` where it fails."""
        with Running(self, command, folder, environment) as running:
            if code := running.process.wait():
                raise subprocess.CalledProcessError(code, command)

    def save(self, path: Path) -> None:
        header = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": self.title,
                  "idle_time_limit": IDLE_S, "env": {"TERM": "xterm-256color"}}  # fmt: skip
        lines = [[round(one.at_s, 3), one.kind, one.text] for one in self.events]
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in [header, *lines])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    def _add(self, kind: Literal["o", "m"], text: str) -> None:
        self.events.append(
            Event(self.seconds, kind, text.replace(self._home, "~").replace(self._hidden, "…"))
        )


class Running:
    """A command in a terminal; what it writes goes into a recording, at the time it is written."""

    def __init__(
        self, recording: Recording, command: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        recording.show(f"\x1b[1;32m~\x1b[0m $ \x1b[1m{command}\x1b[0m\r\n")
        self._recording = recording
        self._terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.process = subprocess.Popen(
            ("bash", "-c", command), cwd=folder, env=dict(environment), stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._reader = Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        """When the last process has left the terminal."""
        self._reader.join()
        os.close(self._terminal)

    def await_text(self, text: str, wait_s: float) -> None:
        """Until it has been written; `TimeoutError` where it never is."""
        end = time.monotonic() + wait_s
        while not any(text in one.text for one in self._recording.events):
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError(text)
            time.sleep(_POLL_S)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                data = os.read(self._terminal, _READ)
            except OSError:  # the last one has left the terminal
                return
            if not data:
                return
            if text := decoder.decode(data):
                self._recording.show(text)


def load(path: Path) -> list[Event]:
    """The events of a recording. `ValueError` where the file is none."""
    header, *lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if header.get("version") != 2:
        raise ValueError(f"{path.name} is no asciicast of version 2")
    return [Event(*line) for line in lines]


def screen(events: Iterable[Event]) -> list[str]:
    """The lines that are left when everything was written, colours included."""
    text = "".join(one.text for one in events if one.kind == "o")
    lines = [_ERASED.sub("", line.rstrip("\r")) for line in text.split("\n")]
    return [_MOVES.sub("", line) for line in lines]


def picture(lines: Iterable[str], title: str) -> str:
    """An SVG of some lines. It names no font that somebody would have to fetch."""
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        for line in lines:
            console.print(Text.from_ansi(line), soft_wrap=False)
        return _FONTS.sub("", console.export_svg(title=title))
