"""One figure of a store: a name, labels, a value, and its series as Prometheus writes it.

    >>> one = Figure("memtend_agent_bytes", (("agent", 'a"b'),), 7.0, "what it is")
    >>> one.series
    'memtend_agent_bytes{agent="a\\\\"b"}'
    >>> read_series(one.series)
    ('memtend_agent_bytes', (('agent', 'a"b'),))

What is not known has no figure. It is never nought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

Labels = tuple[tuple[str, str], ...]


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


def series_of(name: str, labels: Labels = ()) -> str:
    if not labels:
        return name
    return name + "{" + ",".join(f'{label}="{_escaped(text)}"' for label, text in labels) + "}"


def read_series(series: str) -> tuple[str, Labels]:
    """The name and the labels of a series; what cannot be read is a name without labels."""
    name, brace, rest = series.partition("{")
    if not brace:
        return series, ()
    found = tuple((label, _plain(text)) for label, text in _LABEL.findall(rest))
    return (name, found) if series_of(name, found) == series else (series, ())


def value_of(figures: Iterable[Figure], name: str, **labels: str) -> float | None:
    """The value of one figure, None where it is not known."""
    wanted = set(labels.items())
    found = (one.value for one in figures if one.name == name and set(one.labels) == wanted)
    return next(found, None)


_LABEL: Final = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_ESCAPED: Final = {found: sign for sign, found in _ESCAPES.items()}


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


def _plain(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: _ESCAPED[found[0]], text)
