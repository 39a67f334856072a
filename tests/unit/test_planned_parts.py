"""Plans made in parts are the plans made in one go; and nothing is joined that is not whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtend.archive.plan import ArchiveFrame
from memtend.clock import ManualClock, to_datetime
from memtend.erase.saved import naming_plans
from memtend.errors import PlanAltered, PlanIncomplete, PlanMissing
from memtend.limits import ARCHIVE_TTL_LEFT_MS_MIN
from memtend.model import frame as frames
from memtend.model.archiverule import ArchivePolicy
from memtend.model.candidate import Alike, Candidate
from memtend.model.facts import Facts
from memtend.model.prunepolicy import BUILT_IN, STRATEGIES, PrunePolicy
from memtend.model.shard import shards_of
from memtend.objects import open_target
from memtend.plans import drop_parts, load_part, save_part
from memtend.prune import lowest, plan
from memtend.prune.parts import PruneFrame, PrunePart, frame_of
from tests.fixtures.candidates import NOW_MS
from tests.unit.test_prune_laws import ONES, SHARES

NAMESPACES = ("a", "a/b", "b", "b/c", "messages/x", "z")


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[Candidate], list[Alike], PruneFrame]:
    """Records in the order in which a store has them, what is alike in a namespace, and a frame of
    up to six shards under which much goes."""
    ones = draw(st.lists(st.tuples(st.sampled_from(NAMESPACES), ONES), max_size=30))
    order = draw(st.permutations(NAMESPACES))
    ones.sort(key=lambda one: order.index(one[0]))
    records = [
        one._replace(seq=seq, namespace=namespace, key=f"k{seq:02}")
        for seq, (namespace, one) in enumerate(ones, start=1)
    ]
    alike = [
        Alike(one.seq, keeper.seq, f"{one.namespace}/{keeper.key}", draw(SHARES))
        for one, keeper in pairwise(records)
        if one.namespace == keeper.namespace and draw(st.booleans())
    ]
    profile = draw(st.sampled_from(sorted(BUILT_IN)))
    limits = {
        "agent_bytes": draw(st.integers(1, 30_000)),
        "store_bytes": draw(st.integers(1, 60_000)),
    }
    policy = PrunePolicy().named(profile).model_copy(update=limits)
    held = Counter[str]()
    for one in records:
        held[one.agent or ""] += one.size_bytes
    facts = Facts(
        store_id="5" * 32, at=to_datetime(NOW_MS), seq=99, records=len(records), bytes=held.total()
    )
    known = {agent: size for agent, size in held.items() if agent} if draw(st.booleans()) else None
    wanted = draw(st.none() | st.lists(st.sampled_from(STRATEGIES), unique=True))
    missed = [(one.namespace, one.key) for one in records if draw(st.integers(0, 9)) == 0]
    counts = Counter(one.namespace for one in records)
    shards = shards_of(counts, draw(st.integers(1, 6)))
    frame = frame_of(
        policy, facts, NOW_MS, strategies=wanted, shards=shards, agent_bytes=known, missed=missed
    )
    return records, alike, frame


def looked(
    records: Sequence[Candidate], alike: Sequence[Alike], frame: PruneFrame
) -> list[PrunePart]:
    """A part for each shard, as it comes from another process."""
    by_seq = {one.seq: one.namespace for one in records}
    parts = []
    for number, shard in enumerate(frame.shards):
        part = plan.look(
            [one for one in records if shard.holds(one.namespace)],
            PruneFrame.model_validate_json(frame.model_dump_json()),
            number,
            alike=[one for one in alike if shard.holds(by_seq[one.seq])],
        )
        parts.append(PrunePart.model_validate_json(part.model_dump_json()))
    return parts


def in_one(
    records: Sequence[Candidate], alike: Sequence[Alike], frame: PruneFrame
) -> plan.PrunePlan:
    return plan.plan_prune(
        records, frame.policy, frame.facts, frame.now_ms, strategies=frame.strategies, alike=alike,
        missed=frame.missed, agent_bytes=frame.agent_bytes,
    )  # fmt: skip


@given(stores())
def test_parts_of_a_prune_plan_make_the_plan_of_one_process(
    store: tuple[list[Candidate], list[Alike], PruneFrame],
) -> None:
    """Byte by byte: rules, duplicates, space of the store and of agents, shields, notes."""
    joined = plan.join(store[2], looked(*store))
    assert joined.model_dump_json() == in_one(*store).model_dump_json()


@settings(max_examples=40)
@given(stores(), st.integers(1, 8))
def test_so_they_do_where_a_plan_has_no_room_for_all(
    store: tuple[list[Candidate], list[Alike], PruneFrame], room: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module in (plan, lowest):
            patch.setattr(module, "PLAN_DECISIONS_MAX", room)
        joined, one = plan.join(store[2], looked(*store)), in_one(*store)
    whole = in_one(*store)
    assert joined.model_dump_json() == one.model_dump_json()
    assert one.decisions == whole.decisions[:room]
    assert (one.truncated, one.considered) == (len(whole.decisions) >= room, whole.considered)


@given(st.lists(st.sampled_from("abc")), st.integers(1, 5))
def test_the_foremost_are_the_first_of_all_in_order(names: list[str], count: int) -> None:
    decisions = [
        plan.PruneDecision(
            action="delete", namespace=name, key=f"{seq:03}", reason="", rule="", strategy=""
        )
        for seq, name in enumerate(names)
    ]
    wanted = sorted(decisions, key=lambda one: (one.namespace, one.key))[:count]
    assert list(frames.foremost(decisions, count)) == wanted


def frame_of_two() -> PruneFrame:
    facts = Facts(store_id="5" * 32, at=to_datetime(NOW_MS), seq=9, records=2, bytes=2_000)
    shards = shards_of({"a": 1, "b": 1}, 2)
    return frame_of(PrunePolicy(), facts, NOW_MS, shards=shards)


def test_a_plan_without_one_of_its_parts_is_refused() -> None:
    """It could take what is worth more than what lies there."""
    frame = frame_of_two()
    parts = looked([], [], frame)
    assert plan.join(frame, parts).decisions == ()
    for wrong in (parts[:1], [], [*parts, parts[1]], [parts[0], parts[0]], parts[::-1]):
        with pytest.raises(PlanIncomplete, match="shard"):
            plan.join(frame, wrong)


def test_parts_of_two_plans_are_not_joined() -> None:
    frame = frame_of_two()
    other = frame.model_copy(update={"now_ms": frame.now_ms + ARCHIVE_TTL_LEFT_MS_MIN})
    with pytest.raises(PlanIncomplete, match="made for another plan"):
        plan.join(frame, [looked([], [], frame)[0], looked([], [], other)[1]])


def test_parts_at_rest_are_pinned_and_dropped(tmp_path: Path) -> None:
    clock, url = ManualClock(), str(tmp_path)
    facts = frame_of_two().facts
    frame = ArchiveFrame(facts=facts, now_ms=NOW_MS, policy=ArchivePolicy())
    ref = save_part(frame, "archive", url, clock)
    assert load_part(ref, clock, ArchiveFrame).digest == frame.digest
    with pytest.raises(PlanAltered):
        load_part(ref.model_copy(update={"sha256": "0" * 64}), clock, ArchiveFrame)
    nobody = naming_plans(open_target(url, clock), lambda _namespace, _key: False, ())
    assert list(nobody) == [ref.name]  # whatever is erased: nobody looks what is in it
    drop_parts([ref, ref], clock)
    assert list(tmp_path.glob("archive*")) == []
    with pytest.raises(PlanMissing):
        load_part(ref, clock, ArchiveFrame)
