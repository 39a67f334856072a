"""Memory text inside a page: shown letter by letter, whatever it would mean as markdown or HTML.

Names of agents, namespaces and keys are written by agents, and an agent may have been talked into
anything. Pages escape them here, whether or not the UI that shows them cleans up as well.

    >>> print(escaped("<img src=x onerror=alert(1)> | [a](b)"))
    &lt;img src=x onerror=alert(1)&gt; &#124; \\[a\\](b)
    >>> print(escaped("look at https://evil.example"))
    look at `https://evil.example`
    >>> print(prose("Run `memtend sweep --apply` for <b>."))
    Run `memtend sweep --apply` for &lt;b&gt;.

What would become a link by itself is made code, the only text that no renderer links. Marks that
cannot be seen, such as those that turn the direction of writing, become visible.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MARKS = re.compile(r"[\\`*\[\]~]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;"}
_ENTITY = re.compile("[&<>|$]")
_LINKS = re.compile(r"://|www\.|@|mailto:|xmpp:", re.IGNORECASE)
_BLOCK = re.compile(r"^(\d{0,9})(?=[#+=.)-])")
_BEGINS = re.compile(r"<(?=[a-z/!?])|\](?=[(:\[])|:(?=//)|www(?=\.)|&(?=[#a-z])", re.IGNORECASE)
_JOINER = "\u2060"
_SPANS = re.compile(r"(`[^`]+`|(?<![^\s(])\*\*(?=\S)[^*`]+(?<=\S)\*\*(?![^\s,;:.)]))")
_SPACES = re.compile("( +)")
_TICKS = re.compile("`+")


class Markdown(str):
    """Text that is markdown already, made by this program: pages and tables leave it as it is."""

    __slots__ = ()


def paragraphs(lines: Iterable[str]) -> Markdown:
    """A page of them. What is not `Markdown` is prose."""
    shown = [line if isinstance(line, Markdown) else prose(line) for line in lines if line]
    return Markdown("\n\n".join(shown))


def escaped(text: str) -> str:
    """`text` so that a page shows exactly it, on one line."""
    return "".join(map(_word, _SPACES.split(visible(text))))


def prose(text: str) -> str:
    """A sentence of this program that may quote memory: its code and its bold text stay that."""
    line = ""
    for n, part in enumerate(_SPANS.split(visible(text).strip())):
        shown = _span(part) if n % 2 else escaped(part)
        line += f" {shown}" if line.endswith("`") and shown.startswith("`") else shown
    return _BLOCK.sub(r"\1\\", line)  # no heading, list or rule


def code(text: str) -> Markdown:
    """`text` as code, however many backticks it has itself."""
    line = visible(text).replace("|", "\\|")
    if not line.strip():
        return Markdown()
    fence = "`" * (1 + max(map(len, _TICKS.findall(line)), default=0))
    space = " " if "`" in (line[0], line[-1]) else ""
    return Markdown(f"{fence}{space}{line}{space}{fence}")


def inert(text: str) -> str:
    """`text` for a table artifact: one UI of Prefect shows it as it is, the other as markdown.

    An invisible joiner stands where a tag, a link or a picture would begin; names have no such
    place.
    """
    return _BEGINS.sub(lambda found: found[0] + _JOINER, visible(text))


def visible(text: str) -> str:
    """One line, of which every character can be seen."""
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else f"\\u{ord(character):04x}"


def _span(part: str) -> str:
    return code(part[1:-1]) if part[0] == "`" else f"**{escaped(part[2:-2])}**"


def _word(word: str) -> str:
    if _LINKS.search(word):
        return code(word)
    return _ENTITY.sub(lambda found: _ENTITIES[found[0]], _MARKS.sub(r"\\\g<0>", word))
