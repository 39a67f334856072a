"""Writes constraints.txt from what is installed: everything the extras need, and nothing else.

    .venv/bin/python .ci/pins.py > constraints.new && mv constraints.new constraints.txt

The comment above a pin is kept: it says why that version, and goes when the pin goes.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "memtend"
CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"


def closure(project: str) -> dict[str, str]:
    """Name and version of every distribution that `project` needs with all its extras."""
    pins: dict[str, str] = {}
    extras = distribution(project).metadata.get_all("Provides-Extra") or []
    waiting = [(project, extra) for extra in ("", *extras)]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        try:
            found = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{name} is required but not installed")
        pins[canonicalize_name(name)] = found.version
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate({"extra": extra}):
                continue
            for part in ("", *needed.extras):
                if (needed.name, part) not in seen:
                    seen.add((needed.name, part))
                    waiting.append((needed.name, part))
    del pins[canonicalize_name(project)]
    return pins


def reasons(text: str) -> tuple[str, dict[str, str]]:
    """The head of the file, and the comment above each pin."""
    head, _, body = text.partition("\n\n")
    comments: dict[str, str] = {}
    pending = ""
    for line in body.splitlines(keepends=True):
        if line.startswith("#"):
            pending += line
        else:
            comments[line.partition("==")[0]] = pending
            pending = ""
    return head, comments


def main() -> None:
    head, comments = reasons(CONSTRAINTS.read_text())
    print(head, end="\n\n")
    for name, version in sorted(closure(PROJECT).items()):
        print(f"{comments.get(name, '')}{name}=={version}")


if __name__ == "__main__":
    main()
