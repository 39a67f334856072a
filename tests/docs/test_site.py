"""What stands behind `make site`, which `make lint` runs: links, and who checks them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from docs.site.build import complaints
from docs.site.hooks import ROOT, outside, rewritten

PLACES = {"CHANGELOG.md": "changelog.md", "deployments/README.md": "deployments/README.md"}
MOVED = [
    ("docs/index.md", "../CHANGELOG.md", "changelog.md"),
    ("docs/howto/a.md", "../../CHANGELOG.md", "../changelog.md"),
    ("docs/howto/a.md", "../../deployments/README.md", "../deployments/README.md"),
    ("deployments/README.md", "../docs/howto/a.md", "../howto/a.md"),
    ("docs/howto/a.md", "b.md", "b.md"),
    ("docs/howto/a.md", "../../core/x.py", "../../core/x.py"),  # nowhere: MkDocs will say so
]


@pytest.mark.parametrize(("page", "link", "moved"), MOVED)
def test_a_link_follows_its_file(page: str, link: str, moved: str) -> None:
    text = "see `code`, [it]({0}#part) and [`that`]({0})"
    assert rewritten(text.format(link), page, PLACES) == text.format(moved)


def test_what_is_not_on_the_site_is_named_there() -> None:
    """A test, say; it loses its link and not its words."""
    assert rewritten("by [a test](../tests/docs).", "docs/index.md", {}) == "by a test."


@pytest.mark.parametrize(
    "text",
    [
        "`[x](../CHANGELOG.md)`",
        "```\n[x](../CHANGELOG.md)\n```",
        "[x](https://example.net/CHANGELOG.md)",
        "[x](#here)",
    ],
)
def test_code_and_other_addresses_stay(text: str) -> None:
    assert rewritten(text, "docs/index.md", PLACES) == text


def test_every_page_is_in_the_navigation() -> None:
    """`make lint` would say so, too, later."""
    text = (ROOT / "docs" / "site" / "mkdocs.yml").read_text().split("\nnav:\n")[1]
    named = set(_leaves(yaml.safe_load(text)))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    pages |= {place for _, place in outside() if place.endswith(".md")}
    assert {page for page in pages if not page.startswith("adr/0")} == named


def test_every_flow_is_in_the_reference() -> None:
    deployed = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text())["deployments"]
    page = (ROOT / "docs" / "reference" / "flows.md").read_text()
    shown = {line.removeprefix("::: ") for line in page.splitlines() if line.startswith("::: ")}
    assert shown == {entry["entrypoint"] for entry in deployed}


def test_no_secret_gets_onto_the_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "deployments" / "containers"
    folder.mkdir(parents=True)
    for name in (".env", "example.env"):
        (folder / name).touch()
    monkeypatch.setattr("docs.site.hooks.ROOT", tmp_path)
    assert "deployments/containers/.env" not in dict(outside())
    assert "deployments/containers/example.env" in dict(outside())


PLANTED = [
    ('<a href="gone.html">', "links to gone.html: no such file"),
    ('<a href="other.html#gone">', "links to other.html#gone: no such anchor"),
    ('<a href="#gone">', "links to #gone: no such anchor"),
    ('<img src="gone.png">', "loads gone.png: no such file"),
    ('<script src="https://cdn.example.net/x.js">', "from elsewhere"),
    ('<link rel="stylesheet" href="//cdn.example.net/x.css">', "from elsewhere"),
]


@pytest.mark.parametrize(("html", "said"), PLANTED)
def test_what_leads_nowhere_is_found(tmp_path: Path, html: str, said: str) -> None:
    (tmp_path / "page.html").write_text(html)
    (tmp_path / "other.html").write_text('<h1 id="here">')
    [found] = complaints(tmp_path)
    assert said in found


def test_what_leads_somewhere_is_not(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text('<a href="..">up</a><a href="#top" id="top">')
    good = '<a href="folder/"></a><a href="folder/#top"></a><a href="https://example.net"></a>'
    (tmp_path / "index.html").write_text(good + '<img src="data:image/png;base64,AA==">')
    assert list(complaints(tmp_path)) == []


def _leaves(found: object) -> list[str]:
    if isinstance(found, str):
        return [found]
    below = found.values() if isinstance(found, dict) else found
    assert not isinstance(below, int)
    return [leaf for one in below for leaf in _leaves(one)]  # type: ignore[attr-defined]
