"""How an AML item says its version: in `version`, or in the metadata that a migration wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_OWN: Final = frozenset(("created_by", "last_modified", "version"))
_WRITTEN: Final = frozenset(("1.0.0", "1.1.0", "1.2.0", "2.0.0"))


def is_own_metadata(metadata: Mapping[str, Any]) -> bool:
    """Whether a migration wrote it. A user's own says nothing of versions."""
    if not metadata.keys() >= _OWN:
        return False
    version = metadata["version"]
    return isinstance(version, str) and version in _WRITTEN


def state(item: dict[str, Any], version: str, always: bool) -> None:
    """Write the version wherever the item states one; `always`, into the item at any rate.

    Versions after 2.0.0 are stated in `version` alone. A user's field `version` that is no text
    makes room below `extra`.
    """
    stated = item.get("version")
    if isinstance(stated, str):
        item["version"] = version
    elif always:
        if "version" in item:
            _set_aside(item, stated)
        item["version"] = version
    metadata = item.get("metadata")
    if version in _WRITTEN and isinstance(metadata, dict) and is_own_metadata(metadata):
        item["metadata"] = {**metadata, "version": version}


def _set_aside(item: dict[str, Any], version: Any) -> None:
    extra = item.get("extra", {})
    free = isinstance(extra, dict) and "version" not in extra
    item["extra"] = {**extra, "version": version} if free else {"extra": extra, "version": version}
