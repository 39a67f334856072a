"""A model as files: what scikit-learn fitted, what serves, and what people read about it.

    files = pack(fitted, card)
    served = unpack_served(files["serve.npz"], sha256=known)

The same fit gives the same bytes. Whatever is read is checked as if somebody had forged it, and the
sum from the registry is compared first: a file that is not the registered one is not even opened.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from memtend.errors import ModelRefused
from memtend.formats import MODEL_FORMAT
from memtend.learn.servedfile import read_state, write_state
from memtend.limits_learning import MODEL_BYTES_MAX
from memtend.model.learned import CARD, SERVED

if TYPE_CHECKING:
    from memtend.learn.recommender import FittedRecommender
    from memtend.learn.served import ServedRecommender

ESTIMATORS: Final = "model.skops"


def pack(fitted: FittedRecommender, *, card: str | None = None) -> dict[str, bytes]:
    """Raises `ModelRefused` for a model that would not be read again."""
    from memtend.learn.card import card_of  # noqa: PLC0415
    from memtend.learn.skopsfile import write_estimators  # noqa: PLC0415

    files = {
        ESTIMATORS: write_estimators(fitted.estimators()),
        SERVED: write_state(fitted.served.state()),
        CARD: (card_of(fitted) if card is None else card).encode(),
    }
    for name, data in files.items():
        if len(data) > MODEL_BYTES_MAX:
            raise ModelRefused(name=name, why=f"it has more than {MODEL_BYTES_MAX:,} bytes")
    return files


def unpack_served(data: bytes, *, sha256: str | None = None) -> ServedRecommender:
    """Without scikit-learn. Raises `ModelRefused`."""
    from memtend.learn.served import ServedRecommender  # noqa: PLC0415

    _compare(SERVED, data, sha256)
    state = read_state(SERVED, data)
    if state.meta.get("format") != MODEL_FORMAT:
        raise ModelRefused(name=SERVED, why="its format is not one that this program knows")
    try:
        return ServedRecommender.of(state)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ModelRefused(name=SERVED, why="it is not of the form of a model") from error


def unpack_estimators(data: bytes, *, sha256: str | None = None) -> dict[str, Any]:
    """What was fitted, by name, as scikit-learn knows it. Raises `ModelRefused`."""
    from memtend.learn.skopsfile import read_estimators  # noqa: PLC0415

    _compare(ESTIMATORS, data, sha256)
    return read_estimators(ESTIMATORS, data)


def _compare(name: str, data: bytes, sha256: str | None) -> None:
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise ModelRefused(name=name, why="its SHA-256 is not the one in the registry")
