"""The report in a browser: it runs nothing, fits a phone, and can be read in light, dark and print.

A policy in the page forbids scripts. The tests of what runs take it out first: the escaping has to
hold by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page

from memtend.report.page import render
from tests.fixtures.markup import HOSTILE
from tests.fixtures.reports import empty, hostile, tended

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
PHONE, DESKTOP = (360, 740), (1280, 900)
LONG = "W" * 200
UNREADABLE = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const c = rgb(getComputedStyle(at).backgroundColor);
      if (c.length === 3 || c[3] > .99) return c;
    }
    return [255, 255, 255];
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode, at = node.parentElement;
    if (!node.data.trim() || at.closest('svg')) continue;
    const pair = [light(rgb(getComputedStyle(at).color)), light(ground(at))];
    const [a, b] = pair.sort((x, y) => x - y);
    count += 1;
    if ((b + .05) / (a + .05) < 4.5) found.push(node.data.trim().slice(0, 40));
  }
  return [count, found];
}"""
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(at => !at.closest('svg, thead') && at.getBoundingClientRect().right > innerWidth + 1)
  .map(at => at.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as files, as people open them."""
    folder = tmp_path_factory.mktemp("pages")
    made = {"tended": tended(), "empty": empty(), "long": hostile([LONG] * 4)}
    for name, facts in made.items():
        (folder / f"{name}.html").write_text(render(facts))
    return folder


def resize(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def listen(page: Page) -> list[str]:
    """What runs in the page from now on, as far as it says so."""
    ran: list[str] = []

    def hear(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    page.on("pageerror", lambda error: ran.append(str(error)))
    return ran


def test_nothing_in_it_runs(page: Page, tmp_path: Path) -> None:
    """Fifty hostile values wherever the page shows a text; every table is opened and looked at."""
    text = render(hostile(HOSTILE))
    assert len(POLICY.findall(text)) == 1
    (tmp_path / "hostile.html").write_text(POLICY.sub("", text))
    asked: list[str] = []
    ran = listen(page)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{tmp_path}/hostile.html")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for n in range(20):
        page.mouse.move(200 + 20 * n, 300)
        page.mouse.wheel(0, 2_000)
    page.wait_for_timeout(200)
    assert ran == []
    assert asked == [f"file://{tmp_path}/hostile.html"]
    shown = page.locator("body").inner_text()
    assert HOSTILE[0] in shown
    assert page.evaluate("document.querySelectorAll('script, img, iframe, [onload]').length") == 0


def test_the_canary_of_that_test_sings(page: Page, tmp_path: Path) -> None:
    """The same values put into a page as they are do run: the test above would notice."""
    (tmp_path / "bad.html").write_text(f"<meta charset=utf-8>{' '.join(HOSTILE[:9])}")
    ran = listen(page)
    page.goto(f"file://{tmp_path}/bad.html")
    page.wait_for_timeout(100)
    assert ran


@pytest.mark.parametrize("name", ["tended", "empty", "long"])
def test_it_fits_a_phone(page: Page, pages: Path, name: str) -> None:
    resize(page, PHONE)
    page.goto(f"file://{pages}/{name}.html")
    page.screenshot(path=pages / f"{name}-phone.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(page: Page, pages: Path, scheme: str) -> None:
    resize(page, DESKTOP)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"file://{pages}/tended.html")
    page.screenshot(path=pages / f"{scheme}.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    count, unreadable = page.evaluate(UNREADABLE)
    assert count > 300
    assert unreadable == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(13, 17, 23)") is (scheme == "dark")


def test_it_prints_on_white(page: Page, pages: Path) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"file://{pages}/tended.html")
    page.screenshot(path=pages / "print.png", full_page=True)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(UNREADABLE)[1] == []
