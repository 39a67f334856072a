"""Erasing models that name the subject: what was learned from somebody is not kept for that.

Their files go first, then their rows: a crash in between leaves models whose files are missing, and
the same erasure again finds the rest. Where nothing was ever learned, one listing says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.store.learned_erasing import drop_models, models_naming, tells

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.subject import Subject
    from memtend.modelfiles import ModelFiles
    from memtend.store.store import Store


def models_about(store: Store, files: ModelFiles, subject: Subject) -> list[str]:
    """Every model whose row or whose files name the subject."""
    if not tells(subject):
        return []
    return sorted({*models_naming(store, subject), *files.naming(subject.name)})


def forget_models(store: Store, files: ModelFiles, subject: Subject, lease: Lease) -> list[str]:
    """Drop them; returns which."""
    naming = models_about(store, files, subject)
    if naming:
        files.remove(naming)
        drop_models(store, naming, lease)
    return naming
