"""What an export is to write, and where. Pure.

An export changes nothing in the store, so nobody has to clear its plan. It is still looked at
first: a place that is taken, or a format that cannot be written here, shows before anything is
read.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, Field

from memtend.errors import InvalidSettings
from memtend.model.pattern import compile_pattern

EVERYTHING: Final = "**"
LINES_ENDINGS: Final = (".jsonl", ".jsonl.gz", ".jsonl.zst")
"""By its last part the reader knows how a file of JSON lines is compressed."""


class Format(StrEnum):
    """How an export is written."""

    JSONL = "jsonl"
    AML_1_2_0 = "aml-1.2.0"
    AML_2_0_0 = "aml-2.0.0"
    PARQUET = "parquet"

    @property
    def aml(self) -> str | None:
        """The version of the items, where it is a tree of them."""
        kind, _, version = self.value.partition("-")
        return version if kind == "aml" else None


class ExportPlan(BaseModel, frozen=True, extra="forbid"):
    """Made by `plan_export`. `records` and `size_bytes` are what the namespaces hold now, before
    records are chosen by agent and kind and left out for a reason."""

    operation: str = "export"
    store_id: str
    made_at: AwareDatetime
    basis: int = Field(ge=0)
    url: str
    format: Format
    pattern: str = EVERYTHING
    agent: str | None = None
    kind: str | None = None
    replace: bool = False
    records: int = Field(default=0, ge=0)
    size_bytes: int = Field(default=0, ge=0)


def plan_export(
    url: str,
    wanted: Format,
    *,
    sizes: dict[str, tuple[int, int]],
    store_id: str,
    basis: int,
    made_at: datetime,
    pattern: str = EVERYTHING,
    agent: str | None = None,
    kind: str | None = None,
    replace: bool = False,
) -> ExportPlan:
    """Raises `InvalidSettings` for a place that cannot be one, `InvalidName` for a bad pattern.

    `sizes` are records and bytes of each namespace.
    """
    compiled = compile_pattern(pattern)
    if wanted is Format.JSONL and not url.endswith(LINES_ENDINGS):
        endings = ", ".join(LINES_ENDINGS)
        raise InvalidSettings(name="destination", why=f"a file of JSON lines ends in {endings}")
    if wanted is not Format.JSONL and url.endswith(LINES_ENDINGS):
        raise InvalidSettings(name="destination", why=f"{wanted} is written into a folder")
    found = [size for name, size in sizes.items() if compiled.may_govern_below(name)]
    return ExportPlan(
        store_id=store_id,
        made_at=made_at,
        basis=basis,
        url=url,
        format=wanted,
        pattern=pattern,
        agent=agent,
        kind=kind,
        replace=replace,
        records=sum(rows for rows, _ in found),
        size_bytes=sum(size for _, size in found),
    )


def format_named(text: str) -> Format:
    """Raises `InvalidSettings` for a format that is not known."""
    try:
        return Format(text)
    except ValueError:
        why = f"{text[:64]!r} is none of {', '.join(Format)}"
        raise InvalidSettings(name="format", why=why) from None
