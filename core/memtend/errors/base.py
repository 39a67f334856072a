"""The root of the tree."""

from __future__ import annotations

from typing import ClassVar


class MemtendError(Exception):
    """Base of everything that memtend raises on purpose.

    `transient` says whether the same call may succeed later without anybody changing anything;
    Prefect tasks retry only those.
    """

    code: ClassVar[int] = 1
    message: ClassVar[str] = "memtend failed"
    hint: ClassVar[str] = "Run again with --verbose and read the log."
    transient: ClassVar[bool] = False

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.facts)


def _rebuild(kind: type[MemtendError], facts: dict[str, object]) -> MemtendError:
    return kind(**facts)
