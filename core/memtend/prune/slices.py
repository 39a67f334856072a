"""Cutting work into transactions: pages, and folds that are never too large for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeVar

from memtend.store.pruning import Fold

_FOLD_ROWS: Final = 256
T = TypeVar("T")


def pages(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """`items` in tuples of at most `size`."""
    waiting = iter(items)
    while page := tuple(islice(waiting, size)):
        yield page


def cut(folds: Sequence[Fold]) -> deque[Fold]:
    """Whoever takes others over takes them all at once, unless they are hundreds."""
    return deque(
        Fold(fold.keeper, extras) for fold in folds for extras in pages(fold.extras, _FOLD_ROWS)
    )


def filled(waiting: deque[Fold], size: int) -> list[Fold]:
    """The next folds, as many as a slice may delete rows; a keeper is in a slice but once."""
    taken: list[Fold] = []
    rows = 0
    while waiting and rows < size:
        if taken and waiting[0].keeper.seq == taken[-1].keeper.seq:
            break
        taken.append(waiting.popleft())
        rows += len(taken[-1].extras)
    return taken


def renumbered(fold: Fold, numbers: Mapping[int, int]) -> Fold:
    """A keeper that has taken some over already has another number since."""
    seq = fold.keeper.seq
    while seq in numbers:
        seq = numbers[seq]
    return Fold(fold.keeper._replace(seq=seq), fold.extras)
