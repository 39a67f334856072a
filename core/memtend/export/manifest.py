"""What a tree of files says of itself: the file that is written last, and so tells a whole export.

It names every file with its length, so that a later export can replace exactly those.
"""

from __future__ import annotations

from typing import Final

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from memtend.errors import ExportTaken
from memtend.export.plan import Format
from memtend.formats import EXPORT_FORMAT

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


def replaceable(url: str, sizes: dict[str, int], data: bytes) -> list[str]:
    """The files of an earlier export that are there, this one first.

    Raises `ExportTaken` if others are, or one that has another length than it was written with. A
    manifest may come from anywhere, so names that only it knows are never touched.
    """
    try:
        found = ExportManifest.model_validate_json(data)
    except ValidationError:
        raise ExportTaken(url=url, why=f"its {NAME} is none of this program's") from None
    names = sorted(sizes.keys() - {NAME})
    for name in names:
        if name not in found.files:
            raise ExportTaken(url=url, why=f"{name!r} in it is not of the earlier export")
        if sizes[name] != found.files[name]:
            raise ExportTaken(url=url, why=f"{name!r} in it was changed since it was exported")
    return [NAME, *names]
