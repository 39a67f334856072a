"""The packages that learning needs, which not everybody has installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memtend.errors import LearnPackageMissing


@contextmanager
def learn_packages() -> Iterator[None]:
    """Raises `LearnPackageMissing` where numpy or scikit-learn is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise LearnPackageMissing(package=error.name or "scikit-learn") from error
