"""One step of the schema. Apart from plans and reports, which are heavy to import."""

from __future__ import annotations

from typing import NamedTuple


class Revision(NamedTuple):
    """`text` says what the step is about."""

    number: str
    text: str
