"""What an import could not read, copied to where somebody can look at it.

Each thing's bytes lie under their hash, never under a foreign name; `index-1.json`, `index-2.json`
and so on say what they were called, why they could not be read, how long they are. Nothing is made
as long as everything can be read, and nothing is kept in memory but one page of the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from memtend.limits_foreign import QUARANTINE_PAGE, QUARANTINE_TOTAL_BYTES_MAX
from memtend.objects import open_target

if TYPE_CHECKING:
    from memtend.clock import Clock
    from memtend.migrate.items import Quarantined


class Quarantine:
    """One folder (or other target) of one run."""

    def __init__(self, url: str, clock: Clock, run: str, source: str) -> None:
        self._target = open_target(url, clock)
        self._head = {"run": run, "source": source}
        self._page: list[dict[str, Any]] = []
        self._pages = 0
        self._bytes = 0
        self.count = 0

    @property
    def url(self) -> str | None:
        """Where it is; None if there is nothing in it."""
        return self._target.url if self.count else None

    def add(self, found: Quarantined) -> None:
        self.count += 1
        kept = self._bytes + len(found.data) <= QUARANTINE_TOTAL_BYTES_MAX
        if found.data and kept:
            self._target.put_if_absent(found.sha256, found.data)
            self._bytes += len(found.data)
        self._page.append(
            found.model_dump(exclude={"data"}) | {"kept_bytes": len(found.data) if kept else 0}
        )
        if len(self._page) == QUARANTINE_PAGE:
            self._write_page()

    def close(self) -> None:
        if self._page:
            self._write_page()

    def _write_page(self) -> None:
        self._pages += 1
        data = orjson.dumps(self._head | {"found": self._page}, option=orjson.OPT_INDENT_2)
        self._page = []
        # The source may have changed since this run wrote the same page: both are kept.
        name, again = f"index-{self._pages}", 0
        while not self._target.put_if_absent(f"{name}.json", data):
            if self._target.get(f"{name}.json") == data:
                return
            again += 1
            name = f"index-{self._pages}-{again}"
