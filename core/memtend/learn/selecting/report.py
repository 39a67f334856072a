"""What was tried in a fit, how it did on rows it had not seen, and what was decided."""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """`gain`: what a row costs less than with the incumbent, out of bag, in the unit of the costs,
    with a 90 % interval. `closed`: the same as a share of what the best choice would gain."""

    name: str
    gain: float
    gain_low: float
    gain_high: float
    standard_error: float
    closed: float
    closed_low: float
    closed_high: float
    deviates: float
    """Share of rows for which it chooses another strategy than the incumbent."""


class SelectionReport(NamedTuple):
    """`chosen`: a candidate's name, or None for the incumbent; `why` is a sentence."""

    rows: int
    at_stake: int
    """Rows in which the choice makes a difference."""
    strategies: tuple[str, ...]
    incumbent: str
    features: int
    dropped: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    chosen: str | None
    adopted: bool
    why: str
    seed: int
