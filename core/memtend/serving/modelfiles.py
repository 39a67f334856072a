"""Where the services of one store find the files of its models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.serving.base import Serving

if TYPE_CHECKING:
    from memtend.modelfiles import ModelFiles


class ModelShelf(Serving):
    def _model_files(self) -> ModelFiles:
        from memtend.modelfiles import files_of  # noqa: PLC0415

        return files_of(self.store)
