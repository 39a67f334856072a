"""A foreign configuration, of which every key is either taken or named at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from memtend.limits_foreign import IMPORT_TOLD_MAX

_SHOWN: Final = 100


class Tree:
    """JSON with a memory of what was taken from it."""

    def __init__(self, given: dict[str, Any], source: str) -> None:
        self.given = given
        self.source = source
        self._taken: set[tuple[str, ...]] = set()

    def take(self, *path: str) -> Any:
        """The value there, or None; it counts as understood."""
        value: Any = self.given
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        self._taken.add(path)
        return value

    def names(self, *path: str) -> list[str]:
        """The keys of an object, [] where there is none."""
        value: Any = self.given
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return list(value) if isinstance(value, Mapping) else []

    def rest(self) -> list[str]:
        """Whatever was not taken, as `a.b = value`, at most `IMPORT_TOLD_MAX`."""
        return list(islice(self._left(), IMPORT_TOLD_MAX))

    def _left(self) -> Iterator[str]:
        waiting: list[tuple[tuple[str, ...], Any]] = [((), self.given)]
        while waiting:
            path, one = waiting.pop()
            if path in self._taken:
                continue
            if isinstance(one, Mapping) and one:
                waiting += [((*path, name), one[name]) for name in reversed(one)]
            elif path:
                yield f"{_cut('.'.join(path))} = {_shown(one)}"


def _shown(value: Any) -> str:
    """A list is told by its length: it may be of any depth."""
    return f"a list of {len(value):,}" if isinstance(value, list) else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
