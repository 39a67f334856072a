"""Builds the site into .site and reads it as a browser would: `python docs/site/build.py`.

MkDocs is strict about links between pages. What it cannot see is looked at in the result: every
link, image and script of every page leads to a file and an anchor that are there, and nothing is
loaded from anywhere else, so that the site can be read without a network.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from subprocess import run
from typing import Final
from urllib.parse import unquote, urlsplit

HERE: Final = Path(__file__).resolve().parent
SITE: Final = HERE.parents[1] / ".site"
_LOADS: Final = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src")}
_LEADS: Final = {("a", "href")}
_ABSENT: Final = "404.html"  # made for any address, so its own links begin at the top of a server


class _Page(HTMLParser):
    """What one page links to, loads, and can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {one for one in (given.get("id"), given.get("name")) if one}
        if tag == "link" and given.get("rel") in ("canonical", "prev", "next"):
            return
        for name, value in attrs:
            if value and (tag, name) in _LOADS:
                self.loads.append(value)
            elif value and (tag, name) in _LEADS:
                self.leads.append(value)


def read_site(site: Path) -> dict[Path, _Page]:
    pages = {}
    for path in sorted(site.rglob("*.html")):
        pages[path] = page = _Page()
        page.feed(path.read_text(encoding="utf-8"))
    return pages


def complaints(site: Path) -> Iterator[str]:
    """What a reader of the site would run into; nothing where all is well."""
    pages = read_site(site)
    for path, page in pages.items():
        if path.name == _ABSENT:
            continue
        name = path.relative_to(site)
        for link in page.loads:
            if urlsplit(link).scheme not in ("", "data") or link.startswith("//"):
                yield f"{name} loads {link} from elsewhere"
            elif why := _wrong(path, link, pages):
                yield f"{name} loads {link}: {why}"
        for link in page.leads:
            if not urlsplit(link).scheme and (why := _wrong(path, link, pages)):
                yield f"{name} links to {link}: {why}"


def _wrong(page: Path, link: str, pages: dict[Path, _Page]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme:
        return None
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if path.is_dir():
        path /= "index.html"
    if not path.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and path in pages and anchor not in pages[path].anchors:
        return "no such anchor"
    return None


def main() -> int:
    # Material tells of a later MkDocs at every start; the version here is pinned.
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--clean"]
    built = run([*command, "-f", str(HERE / "mkdocs.yml")], env=quiet, check=False)  # noqa: S603
    if built.returncode:
        return built.returncode
    found = list(complaints(SITE))
    for line in found:
        print(line, file=sys.stderr)
    print(f"{len(list(SITE.rglob('*.html')))} pages in {SITE.name}/, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
