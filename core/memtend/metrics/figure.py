"""One figure of a store: a name, labels, a value, and its series as Prometheus writes it.

    >>> Figure("memtend_agent_bytes", (("agent", "ada"),), 7.0, "what it is").series
    'memtend_agent_bytes{agent="ada"}'

What is not known has no figure. It is never nought.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from memtend.model.series import Labels, series_of


class Figure(NamedTuple):
    """`counter`: it only grows, as long as the store is the same one."""

    name: str
    labels: Labels
    value: float
    help: str = ""
    counter: bool = False

    @property
    def series(self) -> str:
        """Under which its history is kept."""
        return series_of(self.name, self.labels)

    def label(self, name: str) -> str | None:
        return dict(self.labels).get(name)


def value_of(figures: Iterable[Figure], name: str, **labels: str) -> float | None:
    """The value of one figure, None where it is not known."""
    wanted = set(labels.items())
    found = (one.value for one in figures if one.name == name and set(one.labels) == wanted)
    return next(found, None)
