"""The name of a series: a metric's name with its labels, as Prometheus writes them.

>>> series = series_of("memtend_agent_bytes", (("agent", 'a"b'),))
>>> series
'memtend_agent_bytes{agent="a\\\\"b"}'
>>> read_series(series)
('memtend_agent_bytes', (('agent', 'a"b'),))
"""

from __future__ import annotations

import re
from typing import Final

Labels = tuple[tuple[str, str], ...]


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


_LABEL: Final = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_ESCAPED: Final = {found: sign for sign, found in _ESCAPES.items()}


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


def _plain(text: str) -> str:
    return re.sub(r'\\[\\"n]', lambda found: _ESCAPED[found[0]], text)
