"""72 to 74, 76: exports, and copies of a whole store."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ExportTaken(MemtendError):
    """Something is where the export should go. Nothing was written."""

    code = 76
    message = "{url} is taken: {why}"
    hint = "Name a place where nothing is, or replace an earlier export: --replace."


class CopyTaken(MemtendError):
    """There is a store where the copy should go. Nothing was changed."""

    code = 72
    message = "there is a store at {url} already"
    hint = "Name a place where there is none: `memtend copy` never writes into a store."


class CopyWrong(MemtendError):
    """A copy was refused because it is not what was read, and then there is no store at the new
    place; or a comparison later found the two stores different."""

    code = 73
    message = "the copy at {url} is not equal to {source}: {why}"
    hint = (
        "`memtend copy FROM TO --check` names what was written since; "
        "`memtend verify` finds damage."
    )


class PackageMissing(MemtendError):
    code = 74
    message = "{what} needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[parquet]'."
