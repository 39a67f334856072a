"""What is new in the swarm since an agent last looked.

The store numbers its changes; the agent keeps the number up to which it has looked, one per
replica. What came from another machine has got a number here when it was merged, so it is seen
too. After a restore, or on another machine, the first look shows everything that is there: an
agent may see a thing twice, but misses none that lived until it looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.agent.meeting import Meeting
from memtend.agent.reading import namespaces_of
from memtend.drafting import Put
from memtend.errors import LimitExceeded
from memtend.limits import AGENT_CHANGES_PAGE, SCAN_MAX
from memtend.model.layout import PATTERNS

if TYPE_CHECKING:
    from memtend.agent.news import News


class Following(Meeting):
    def synchronize(self, *, limit: int = 1_000, peek: bool = False) -> News:
        """What others wrote since the last call, about `limit` records at most (`more` tells).

        What this agent wrote itself is left out. With `peek` it is not counted as looked at; an
        agent that may not write has to look so.
        """
        from memtend.agent.news import sorted_out  # noqa: PLC0415

        if not 0 < limit <= SCAN_MAX:
            raise LimitExceeded(what="limit", name="synchronize", actual=limit, limit=SCAN_MAX)
        cursor = self.layout.cursor(self.agent, self.memory.store.own_replica())
        head = self.memory.store.meta().seq
        kept = self.memory.get(*cursor)
        start = kept["seq"] if isinstance(kept, dict) and isinstance(kept.get("seq"), int) else -1
        if start > head:
            start = -1
        places, reached, more = self._changed(start, limit)
        waiting = self.messages.backlog().waiting
        news = sorted_out(self.memory, places, more=more, waiting=waiting)
        if not more:
            reached = max(reached, head)
        if not peek and (places or start < 0 or reached - start > AGENT_CHANGES_PAGE):
            value = {"seq": reached, **self._stamp()}
            self._write([Put(*cursor, value, self._labels("cursor"))])
        return news

    def _changed(self, start: int, limit: int) -> tuple[dict[str, dict[str, None]], int, bool]:
        """Keys by namespace, the number up to which was looked, and whether there is more."""
        store = self.memory.store
        spaces = namespaces_of(self.memory, self.layout.root)
        spaces += namespaces_of(self.memory, PATTERNS)
        numbers = {found[0]: path for path in spaces if (found := store.namespaces.find(path))}
        array = store.engine.array(sorted(numbers))
        places: dict[str, dict[str, None]] = {}
        count, reached = 0, start
        while rows := store.engine.read("changed_in", (reached, array, AGENT_CHANGES_PAGE)):
            for seq, ns, key, field, writer in rows:
                if field == "" and writer != self.agent:
                    keys = places.setdefault(numbers[ns], {})
                    if key not in keys:  # concurrent values of one key are one piece of news
                        if count == limit:
                            return places, reached, True
                        keys[key] = None
                        count += 1
                reached = seq
            if len(rows) < AGENT_CHANGES_PAGE:
                break
        return places, reached, False
