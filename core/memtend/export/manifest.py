"""What a tree of files says of itself: the file that is written last, and so tells a whole export.

It names every file with its length, so that a later export can replace exactly those.
"""

from __future__ import annotations

from typing import Final

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.errors import ExportTaken
from memtend.export.plan import Format
from memtend.formats import EXPORT_FORMAT
from memtend.limits import EXPORT_MANIFEST_BYTES_MAX

NAME: Final = "memtend-export.json"


class ExportManifest(BaseModel, frozen=True, extra="forbid"):
    """`files` are lengths by name."""

    memtend: str = "export"
    version: int = EXPORT_FORMAT
    format: Format
    store_id: str
    seq: int = Field(ge=0)
    at: AwareDatetime
    records: int = Field(ge=0)
    counts: dict[str, int] = Field(default_factory=dict)
    files: dict[str, int] = Field(default_factory=dict)


def replaceable(url: str, names: list[str], data: bytes) -> list[str]:
    """The files of an earlier export, this one first; raises `ExportTaken` if others are there."""
    try:
        found = ExportManifest.model_validate_json(data)
    except ValidationError:
        raise ExportTaken(url=url, why=f"its {NAME} is none of this program's") from None
    foreign = sorted(set(names) - found.files.keys() - {NAME})
    if len(data) > EXPORT_MANIFEST_BYTES_MAX or foreign:
        raise ExportTaken(url=url, why=f"{foreign[:1]} in it is not of the earlier export")
    return [NAME, *sorted(found.files)]
