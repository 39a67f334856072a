"""Random damage to a backup repository in a folder, and its undoing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

Change = tuple[Path, bytes | None]
"""A file and what it holds from now on; None: it is gone."""


class Damages:
    """Draws damages that change something. `foreign` is another repository of the same kind."""

    def __init__(self, root: Path, foreign: Path, dice: random.Random) -> None:
        self._root, self._foreign, self._dice = root, foreign, dice
        self._files = files_of(root)
        self._before = {path: path.read_bytes() for path in self._files}
        self.kinds: tuple[Callable[[], list[Change]], ...] = (
            self.flip, self.truncate, self.extend, self.zero, self.delete, self.swap,
            self.duplicate, self.roll_back, self.older_manifest, self.wrong_kind, self.from_foreign,
        )  # fmt: skip

    def draw(self) -> tuple[str, list[Change]]:
        while True:
            kind = self._dice.choice(self.kinds)
            changes = kind()
            if changes and any(self._before.get(path) != data for path, data in changes):
                return kind.__name__, changes

    def do(self, changes: list[Change]) -> None:
        for path, data in changes:
            if data is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(data)

    def undo(self, changes: list[Change]) -> None:
        for path, _ in changes:
            if path in self._before:
                path.write_bytes(self._before[path])
            else:
                path.unlink()

    def _file(self, folder: str = "") -> tuple[Path, bytearray]:
        path = self._dice.choice([one for one in self._files if self._name(one).startswith(folder)])
        return path, bytearray(self._before[path])

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def flip(self) -> list[Change]:
        path, data = self._file()
        data[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
        return [(path, bytes(data))]

    def truncate(self) -> list[Change]:
        path, data = self._file()
        return [(path, bytes(data[: self._dice.randrange(len(data))]))]

    def extend(self) -> list[Change]:
        path, data = self._file()
        return [(path, bytes(data) + self._dice.randbytes(self._dice.randint(1, 50)))]

    def zero(self) -> list[Change]:
        path, data = self._file()
        at, length = self._dice.randrange(len(data)), self._dice.randint(1, 64)
        data[at : at + length] = bytes(len(data[at : at + length]))
        return [(path, bytes(data))]

    def delete(self) -> list[Change]:
        path, _ = self._file()
        # To take a pin away is everybody's right: nothing can tell that from damage.
        return [] if self._name(path).startswith("pins/") else [(path, None)]

    def swap(self) -> list[Change]:
        (one, first), (other, second) = self._file(), self._file()
        return [(one, bytes(second)), (other, bytes(first))]

    def duplicate(self) -> list[Change]:
        """The same bytes under a name that is not theirs."""
        path, data = self._file("objects/" if self._dice.random() < 0.7 else "manifests/")
        digest = self._dice.randbytes(32).hex()
        if self._name(path).startswith("objects/"):
            return [(path.parent / digest, bytes(data))]
        return [(path.parent / f"{self._dice.randint(1, 99):020d}-{digest}", bytes(data))]

    def roll_back(self) -> list[Change]:
        """The newest manifests are missing, as if the repository were an older one."""
        newest = sorted((self._root / "manifests").iterdir())[-self._dice.randint(1, 3) :]
        return [(path, None) for path in newest]

    def older_manifest(self) -> list[Change]:
        """A manifest's file holds what an older one says."""
        (path, _), (_, older) = self._file("manifests/"), self._file("manifests/")
        return [(path, bytes(older))]

    def wrong_kind(self) -> list[Change]:
        (path, _), (_, other) = self._file("objects/"), self._file("manifests/")
        return [(path, bytes(other))]

    def from_foreign(self) -> list[Change]:
        """A file of another repository, under the name that it has there."""
        path = self._dice.choice(files_of(self._foreign))
        return [(self._root / path.relative_to(self._foreign), path.read_bytes())]


def files_of(root: Path) -> list[Path]:
    """All that matters: what lies in `reserve/` only takes up space."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return [path for path in files if path.parent.name != "reserve"]
