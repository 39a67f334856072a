"""A place: any target that several replicas can reach, and what lies there.

    heads/<replica>/<number>-<sha256>     sync.head: what a replica says of itself
    pages/<replica>/<sha256>              the pages of the deltas that its head names

Each replica writes and deletes below its own id only, and nothing is ever written over: however
many sync at once, none can harm another. What is read is compared with its hash before anybody
looks into it. A page that no head names is garbage; its owner removes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from memtend.codec.compress import Damaged
from memtend.errors import (
    InvalidSettings,
    ObjectDamaged,
    ObjectMissing,
    TargetUnavailable,
)
from memtend.limits import OBJECT_BYTES_MAX, PLACE_HEAD_BYTES_MAX, REPLICAS_MAX
from memtend.objects import ObjectInfo, ObjectStore
from memtend.sync.head import HEADS, Head, HeadName, PageRef, parse_head

PAGES: Final = "pages"
_REPOSITORY: Final = "memtend.json"
_HEADS_SEEN_MAX: Final = 8 * REPLICAS_MAX


class Seen(NamedTuple):
    """The newest readable head of a replica, all its head names, and what was wrong with newer."""

    head: Head | None
    names: tuple[HeadName, ...]
    faults: tuple[tuple[str, str], ...] = ()


class Place:
    """Deltas in a target. Nothing is made before the first push."""

    def __init__(self, target: ObjectStore) -> None:
        self.target = target
        self.url = target.url

    def check(self) -> None:
        """Refuse a target where backups or an archive lie: those want a folder of their own."""
        if self.target.exists(_REPOSITORY):
            why = f"{self.url} holds backups or an archive; name a folder of its own for sync"
            raise InvalidSettings(name="peer", why=why)

    def names(self) -> dict[str, list[HeadName]]:
        """The heads of each replica, newest first. None of them is read."""
        found: dict[str, list[HeadName]] = {}
        for count, info in enumerate(self.target.list(f"{HEADS}/")):
            if count >= _HEADS_SEEN_MAX:
                why = f"it holds more than {_HEADS_SEEN_MAX:,} heads"
                raise InvalidSettings(name="peer", why=f"{self.url} cannot be used: {why}")
            if (name := HeadName.parse(info.name)) is not None:
                found.setdefault(name.replica, []).append(name)
        return {replica: sorted(names, reverse=True) for replica, names in sorted(found.items())}

    def newest(self, names: list[HeadName]) -> Seen:
        """The newest head that can be read; one that vanished meanwhile was replaced."""
        faults: list[tuple[str, str]] = []
        for name in names:
            try:
                return Seen(self.read(name), tuple(names), tuple(faults))
            except ObjectDamaged as error:
                faults.append((str(name), str(error.facts["why"])))
            except ObjectMissing:
                continue
        return Seen(None, tuple(names), tuple(faults))

    def read(self, name: HeadName) -> Head:
        """A head, checked; `ObjectDamaged` or `ObjectMissing` otherwise."""
        data = self._get(str(name), name.digest, PLACE_HEAD_BYTES_MAX)
        try:
            return parse_head(name, data)
        except Damaged as error:
            raise ObjectDamaged(url=self.url, name=str(name), why=str(error)) from None

    def pages(self, replica: str, pages: tuple[PageRef, ...]) -> Iterator[bytes]:
        """The pages of a delta, one at a time, each as it was written or an error."""
        for page in pages:
            yield self._get(page_name(replica, page.sha256), page.sha256, page.size)

    def own_pages(self, replica: str) -> dict[str, ObjectInfo]:
        """The pages of a replica that are there, by hash."""
        return {
            info.name.rpartition("/")[2]: info for info in self.target.list(f"{PAGES}/{replica}/")
        }

    def put_page(self, replica: str, data: bytes) -> PageRef:
        """Store a page and read it back."""
        digest = sha256(data).hexdigest()
        self._put(page_name(replica, digest), data)
        return PageRef(sha256=digest, size=len(data))

    def put_head(self, head: Head) -> HeadName:
        """From here on everybody sees what it names."""
        data = head.pack()
        name = HeadName(head.replica, head.number, sha256(data).hexdigest())
        self._put(str(name), data)
        return name

    def _put(self, name: str, data: bytes) -> None:
        """What lies there already and is not `data` was damaged: only its owner puts it."""
        self.target.put_if_absent(name, data)
        if self._holds(name, data):
            return
        self.target.delete(name)
        self.target.put_if_absent(name, data)
        if not self._holds(name, data):
            raise TargetUnavailable(url=self.url, why="what was written reads back differently")

    def _holds(self, name: str, data: bytes) -> bool:
        """Whether the object is `data`. Looked at twice: lines err, too."""
        for _ in range(2):
            try:
                if self.target.get(name, limit=len(data)) == data:
                    return True
            except (ObjectDamaged, ObjectMissing):
                continue
        return False

    def _get(self, name: str, digest: str, limit: int) -> bytes:
        """Read again if it is not what it should be, then `ObjectDamaged`."""
        for _ in range(2):
            data = self.target.get(name, limit=min(limit, OBJECT_BYTES_MAX))
            if sha256(data).hexdigest() == digest:
                return data
        raise ObjectDamaged(url=self.url, name=name, why="its bytes do not match its name")


def page_name(replica: str, digest: str) -> str:
    return f"{PAGES}/{replica}/{digest}"
