"""What the pictures of learning share: shares in percent, intervals, and lines told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Literal

from memtend.report.texts import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.model.pictures import Estimate

LOOKS: Final = (
    ("accent", "-", "o"),
    ("second", "--", "s"),
    ("good", ":", "^"),
    ("bad", "-.", "D"),
    ("warn", (0, (6, 1, 1, 1, 1, 1)), "v"),
    ("ink", (0, (1, 3)), "P"),
)
"""Colour, dashes and marks: any one of the three tells the lines apart."""
LABEL_CHARS: Final = 24


def percent(value: float) -> str:
    """A share; a part of one is not none.

    >>> percent(0.5), percent(0.034), percent(-0.2)
    ('50%', '3.4%', '-20%')
    """
    return f"{value:.0%}" if abs(value) >= 0.1 or not value else f"{value:.1%}"


def ranged(found: Estimate, show: Callable[[float], str]) -> str:
    """From where to where."""
    return f"{show(found.low)} to {show(found.high)}"


def bounds(found: Sequence[Estimate]) -> list[list[float]]:
    """How far the intervals reach below and above, as error bars want it."""
    return [
        [max(0.0, one.value - one.low) for one in found],
        [max(0.0, one.high - one.value) for one in found],
    ]


def labelled(name: str, limit: int) -> str:
    """A name for a legend, from which matplotlib leaves out what begins with an underscore."""
    shown = clean(name, limit)
    return f" {shown}" if shown.startswith("_") else shown


def percent_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """From none to all."""
    at = (0, 0.25, 0.5, 0.75, 1)
    shown = ("0", "25%", "50%", "75%", "100%")
    if which == "x":
        axes.set_xticks(at, shown)
        axes.get_xticklabels()[-1].set_horizontalalignment("right")
        axes.set_xlim(-0.02, 1.02)
    else:
        axes.set_yticks(at, shown)
        axes.set_ylim(-0.02, 1.02)
        axes.grid(axis="y", linewidth=0.6)
        axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)
