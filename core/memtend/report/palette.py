"""The colours of the page, by what they are for, in light and in dark.

Charts are drawn with stand-ins that name a role; the page says by CSS variables what colour a role
has, so that one drawing is right in both. Nothing is told by colour alone: lines differ in dashes
and marks, areas in hatching, levels are words.

`PAIRS` are the roles that stand on one another. A test holds each against WCAG's 4.5 : 1.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Colour(NamedTuple):
    light: str
    dark: str


COLOURS: Final[dict[str, Colour]] = {
    "page": Colour("#f3f5f8", "#0d1117"),
    "card": Colour("#ffffff", "#161b22"),
    "ink": Colour("#1f2328", "#e6edf3"),
    "soft": Colour("#57606a", "#a3adb8"),
    "line": Colour("#d0d7de", "#353c45"),
    "accent": Colour("#0550ae", "#79c0ff"),
    "second": Colour("#953800", "#ffa657"),
    "good": Colour("#116329", "#7ee787"),
    "warn": Colour("#7d4e00", "#f0c45a"),
    "bad": Colour("#a40e26", "#ffa198"),
    "fill1": Colour("#cfe3ff", "#12335c"),
    "fill2": Colour("#ffe0c2", "#4d2d0c"),
    "fill3": Colour("#d3f0d6", "#16401f"),
    "fill4": Colour("#e6dbff", "#3a2463"),
    "fill5": Colour("#f9d6d9", "#551a22"),
    "fill6": Colour("#e3e6ea", "#30363d"),
}

FILLS: Final = ("fill1", "fill2", "fill3", "fill4", "fill5", "fill6")
_TEXTS: Final = ("ink", "soft", "accent", "second", "good", "warn", "bad")
PAIRS: Final = (
    *((text, ground) for text in _TEXTS for ground in ("card", "page")),
    *(("ink", fill) for fill in FILLS),
)

_STAND_IN: Final = "#0a0b"
_ROLES: Final = {f"{_STAND_IN}{n:02x}": role for n, role in enumerate(COLOURS, 1)}
_BY_ROLE: Final = {role: stand_in for stand_in, role in _ROLES.items()}


def ink(role: str) -> str:
    """What to draw with, so that it becomes the colour of a role."""
    return _BY_ROLE[role]


def themed(style: str) -> str:
    """A style of a drawing, with variables in the place of the stand-ins."""
    for stand_in, role in _ROLES.items():
        style = style.replace(stand_in, f"var(--{role})")
    return style


def variables(dark: bool) -> str:
    """The declarations for one of the two."""
    return ";".join(f"--{role}:{c.dark if dark else c.light}" for role, c in COLOURS.items())
