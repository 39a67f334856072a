"""Where the services of one store find the files of its models, and whether these are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memtend.errors import MemtendError
from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.modelfiles import ModelFiles
    from memtend.store.store import Store


class ModelShelf(Serving):
    def _model_files(self) -> ModelFiles:
        from memtend.modelfiles import files_of  # noqa: PLC0415

        return files_of(self.store)


def model_facts(store: Store, *, full: bool = False) -> dict[str, Any]:
    """What health is told of the models in use; `full` reads their files, and who asks a model
    compares their bytes, too."""
    from memtend.modelfiles import files_of  # noqa: PLC0415
    from memtend.store import models  # noqa: PLC0415

    used = models.in_use(store)
    if not used:
        return {}
    try:
        files = files_of(store)
        harmed = files.altered if full else files.missing
        missing = [
            f"{name} of model {one.model_id} at {files.url}"
            for one in used.values()
            for name in harmed(one)
        ]
    except (MemtendError, OSError) as error:
        missing = [str(error)]
    trouble = f"missing or altered: {missing[0]}" if missing else None
    return {"models": len(used), "model_trouble": trouble}
