"""Pictures of what the tests see: for whoever looks into a failure, and for the documentation.

`pytest tests/ui --pictures docs/images` renews those that the documentation shows. Few colours are
enough for a user interface, and make a picture small.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

COLOURS = 96
Snap = Callable[..., None]
ELSEWHERE = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const said = text.data.replace(/\\/\\S*\\/pytest-\\d+\\/[^\\/\\s]+\\//g, "/srv/agents/");
    if (said !== text.data) text.data = said;
  }
}"""
"""In the documentation a store lies in a folder of an operator, not in the scratch of a test."""


def snapper(page: Page, scratch: Path, shown: Path | None) -> Snap:
    """Takes a picture by name; where it is `kept`, also for the documentation."""

    def snap(name: str, *, kept: bool = False, whole: bool = False) -> None:
        taken = scratch / f"{name}.png"
        if kept and shown is not None:
            page.evaluate(ELSEWHERE)
        page.screenshot(path=taken, full_page=whole, animations="disabled")
        if kept and shown is not None:
            shown.mkdir(parents=True, exist_ok=True)
            with Image.open(taken) as picture:
                few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
                few.save(shown / taken.name, optimize=True)

    return snap
