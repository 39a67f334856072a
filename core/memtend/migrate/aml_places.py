"""What each file of an AML tree holds, by its name alone; the same in a tree and in its backups."""

from __future__ import annotations

from typing import Final, NamedTuple

from memtend.model.foldernames import SHARED, name_of
from memtend.model.quoting import quote_segment

LISTS: Final = {"patterns": "pattern", "solutions": "solution", "decisions": "decision"}
ARCHIVED: Final = "archived"

_ARCHIVED_DECISIONS: Final = "archived-decisions"
_OF_AGENT: Final = {"metrics": "metric", "context": "context"}
_OF_GLOBAL: Final = {
    "cross-agent": "knowledge",
    "project-meta": "project",
    "team-conventions": "convention",
}
_OF_MONITORING: Final = {"metrics": "metric", "alerts": "alert", "health": "health"}
_OF_ARCHIVES: Final = ("decisions", "negative_decisions")
_DERIVED: Final = "it is derived from the items and never read"
_CONFIG: Final = "configuration of the old program; the version of each item is read off the item"
_COPY: Final = "a copy that the old program made of its own files"
_README: Final = "a note of the old program about its own folder"


class Place(NamedTuple):
    """What a file holds: a list of items with ids, alerts, or one value whose key is `stem`.

    `tags` say what the items do not say themselves.
    """

    namespace: str
    kind: str
    stem: str
    agent: str | None = None
    listed: bool = False
    tags: tuple[str, ...] = ()


def place_of(relative: str) -> Place | str | None:
    """Where a file's items go, why it is passed over, or None for a file nobody knows."""
    folder, _, name = relative.rpartition("/")
    stem = name.removesuffix(".gz").removesuffix(".json")
    if relative == "config.json" or (folder == "config" and stem != name):
        return _CONFIG
    if relative == "README.md":
        return _README
    if name in ("bloom.dat", "bloom.dat.gz") or (stem == "index" and stem != name):
        return _DERIVED
    if folder.startswith("backup/") or ".json.backup-" in name:
        return _COPY
    if stem == name or not folder or "/" in folder:
        return None
    return _shared(folder, stem) if folder in SHARED else _of_agent(folder, stem)


def archive_of(agent: str, name: str) -> Place | None:
    """What `archives/<agent>/<name>` holds: decisions that the old program took out of use."""
    agent, stem = name_of(agent), name.removesuffix(".gz").removesuffix(".json")
    category = "_".join(stem.split("_")[:-2])  # what follows is a day and a time
    if stem == name or category not in _OF_ARCHIVES:
        return None
    kept_apart = category.replace("_", "-")
    return Place(
        namespace=f"agent/{quote_segment(agent)}/{ARCHIVED}-{kept_apart}",
        kind="decision",
        stem=stem,
        agent=agent,
        listed=True,
        tags=(ARCHIVED, "negative") if category.startswith("negative") else (ARCHIVED,),
    )


def _shared(folder: str, stem: str) -> Place | None:
    if folder == "audit":
        return Place("audit", "audit", stem)
    if folder == "global" and stem == _ARCHIVED_DECISIONS:
        return Place(
            f"global/{_ARCHIVED_DECISIONS}", "decision", stem, listed=True, tags=(ARCHIVED,)
        )
    kinds = _OF_GLOBAL if folder == "global" else _OF_MONITORING
    return Place(folder, kinds[stem], stem) if stem in kinds else None


def _of_agent(folder: str, stem: str) -> Place | None:
    agent = name_of(folder)
    namespace = f"agent/{quote_segment(agent)}"
    if stem in LISTS:
        return Place(f"{namespace}/{stem}", LISTS[stem], stem, agent, listed=True)
    return Place(namespace, _OF_AGENT[stem], stem, agent) if stem in _OF_AGENT else None
