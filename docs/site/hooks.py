"""What lies outside docs/ becomes a page of the site too, and links between the two go on working.

In the repository a page links to what it means by its path there, so that a forge can follow it.
On the site the same file may have another place: such links are rewritten. What is in the
repository and not on the site, such as a test, is only named there. MkDocs, which is strict, finds
whatever leads nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = "docs/"
ELSEWHERE: Final = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "LICENSE.txt",
}
"""By their path in the repository, the path on the site. What is in deployments/ keeps its own."""
DEPLOYMENTS: Final = (
    "deployments/*.md",
    "deployments/*.yaml",
    "deployments/containers/*",
    "deployments/systemd/**/*",
)
_HIDDEN: Final = ".env"
_FENCE: Final = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(
    r"(?P<code>`[^`\n]+`)"
    r"|(?P<text>!?\[(?:`[^`\n]*`|[^\]`])*\])"
    r"\((?![a-z][a-z0-9+.-]*:|#)(?P<path>[^)\s#]+)(?P<rest>[^)]*)\)"
)


def outside() -> Iterator[tuple[str, str]]:
    """Repository path and site path of every file that is not in docs/."""
    yield from ELSEWHERE.items()
    for pattern in DEPLOYMENTS:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.name != _HIDDEN:
                name = path.relative_to(ROOT).as_posix()
                yield name, name


def rewritten(markdown: str, source: str, places: dict[str, str]) -> str:
    """`markdown` of the file `source` of the repository, with links as the site needs them."""
    here = _place(source, places)
    assert here is not None

    def link(found: re.Match[str]) -> str:
        if found["code"]:
            return found.group()
        meant = normpath(join(dirname(source), found["path"]))
        place = _place(meant, places)
        if place is None:
            return found["text"].strip("[]") if (ROOT / meant).exists() else found.group()
        return f"{found['text']}({relpath(place, dirname(here) or '.')}{found['rest']})"

    parts, end = [], 0
    for code in _FENCE.finditer(markdown):
        parts += [_LINK.sub(link, markdown[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*parts, _LINK.sub(link, markdown[end:])])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, place in outside():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    places = dict(outside())
    sources = {place: name for name, place in places.items()}
    name = page.file.src_uri
    return rewritten(markdown, sources.get(name, DOCS + name), places)


def _place(name: str, places: dict[str, str]) -> str | None:
    """On the site; None if it is not there."""
    if name in places:
        return places[name]
    return name.removeprefix(DOCS) if name.startswith(DOCS) else None
