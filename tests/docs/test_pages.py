"""The pages themselves: their links lead somewhere, and they name nobody's machine."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
# Folders of one machine, not of every machine: nobody else can read the sentence they stand in.
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/[\w.-]|\bindex-url\b")
SCANNED = (".md", ".py", ".toml", ".txt", ".yaml", ".yml", "Makefile", "run", ".sh")
PAGES = sorted(
    path
    for path in ROOT.glob("**/*.md")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
EXEMPT = {"tests/docs/test_pages.py"}


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(heading: str) -> str:
    """The anchor a forge gives to a heading."""
    text = re.sub(r"[`*_]|\]\([^)]*\)|\[", "", heading).lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    return (link for link in LINK.findall(text) if not re.match(r"[a-z][a-z0-9+.-]*:", link))


def broken(page: Path) -> Iterator[str]:
    for link in links(page):
        target, _, anchor = link.partition("#")
        path = (page.parent / target) if target else page
        if not path.exists():
            yield f"{link}: no such file"
        elif anchor and path.suffix == ".md":
            headings = HEADING.findall(FENCE.sub("", path.read_text()))
            if anchor not in map(slug, headings):
                yield f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_relative_links_lead_somewhere(page: Path) -> None:
    """A file that is linked to exists, and so does the heading."""
    assert list(broken(page)) == []


def test_no_file_names_a_machine() -> None:
    """What is committed reads the same everywhere: no folder of one machine, no package index."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    names = [n for n in listed if n.endswith(SCANNED) and n not in EXEMPT and (ROOT / n).exists()]
    named = {
        f"{name}:{number}": line.strip()
        for name in names
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if MACHINE.search(line)
    }
    assert named == {}
