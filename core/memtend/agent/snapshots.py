"""Snapshots: what an agent or its swarm remembered at one moment, kept as records.

A snapshot holds the values themselves, read in one consistent view, and is written whole or not at
all. It is for looking: going back is a decision about everybody's memory, and `memtend restore`
does that with a plan and from a backup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.agent.base import AgentBase
from memtend.drafting import Put
from memtend.errors import SnapshotRefused, SnapshotUnknown

if TYPE_CHECKING:
    from memtend.agent.picture import Snapshot, SnapshotInfo


class Snapshots(AgentBase):
    def snapshot(self, name: str | None = None, *, whole_swarm: bool = False) -> SnapshotInfo:
        """Keep what this agent remembers now, or all of the swarm that it may read.

        Sets and maps are counted in `left_out`. Raises `SnapshotRefused` when the name is taken or
        it would be larger than 64 MiB.
        """
        from memtend.agent.picture import SnapshotInfo, parts_of, take  # noqa: PLC0415
        from memtend.clock import to_datetime  # noqa: PLC0415

        stamp = self._stamp()
        moment = to_datetime(stamp["at_ms"])
        chosen = name or f"{self.agent}-{moment:%Y%m%dT%H%M%SZ}-{self.clock.new_id()[:8]}"
        place = self.layout.snapshot(chosen)
        if self.memory.get(*place) is not None:
            raise SnapshotRefused(name=chosen, why="there is one of this name")
        root = self.layout.root if whole_swarm else self._home
        records, left_out = take(self.memory, self.layout, root)
        parts, size = parts_of(chosen, records)
        info = SnapshotInfo(
            name=chosen, swarm=self.swarm, agent=self.agent, at=moment, whole_swarm=whole_swarm,
            records=len(records), bytes=size, parts=len(parts), left_out=left_out,
        )  # fmt: skip
        labels = self._labels("snapshot")
        puts = [Put(*place, info.model_dump(mode="json"), labels)]
        for number, text in enumerate(parts):
            puts.append(Put(place.namespace, f"{place.key}/part-{number:04d}", text, labels))
        self._write(puts)
        return info

    def snapshots(self) -> list[SnapshotInfo]:
        """The swarm's snapshots, latest first."""
        from memtend.agent.picture import infos_of  # noqa: PLC0415

        return infos_of(self.memory, self.layout)

    def delete_snapshot(self, name: str) -> None:
        """Let a snapshot go before its time; raises `SnapshotUnknown`."""
        found = self.snapshot_of(name).info
        place = self.layout.snapshot(name)
        for number in range(found.parts):
            self.memory.delete(place.namespace, f"{place.key}/part-{number:04d}")
        self.memory.delete(*place)

    def snapshot_of(self, name: str) -> Snapshot:
        """What a snapshot holds; raises `SnapshotUnknown`."""
        from memtend.agent.picture import read_snapshot  # noqa: PLC0415

        found = read_snapshot(self.memory, self.layout, name)
        if found is None:
            raise SnapshotUnknown(swarm=self.swarm, name=name)
        return found
