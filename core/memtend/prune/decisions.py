"""What pruning decides: one record with its rule, and a plan of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from memtend.model.plan import Decision, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtend.model.candidate import Candidate
    from memtend.prune.lowest import Offer
    from memtend.prune.strategy import Verdict

    Chosen = tuple[Candidate | Offer, str, Verdict]


class PruneDecision(Decision, frozen=True, extra="forbid"):
    """`rule` is `strategy.name`. DELETE is archived first; ARCHIVE only makes the record cold.

    `score` is the value of the record, 0..1, where the rule went by it; None where nothing is known
    of it. `merge_into` is the number of the record that says the same and stays; 0 for none.
    """

    rule: str
    strategy: str
    score: float | None = None
    agent: str | None = None
    kind: str = ""
    merge_into: int = 0


class PrunePlan(Plan, frozen=True, extra="forbid"):
    """`shielded` counts records that a rule named and a shield kept, by shield. `target_bytes` is
    what space was to be freed beyond what the other rules free, None where nothing is over."""

    decisions: tuple[PruneDecision, ...] = ()
    profile: str = "default"
    shielded: dict[str, int] = Field(default_factory=dict)
    considered: int = 0
    target_bytes: int | None = None
    notes: tuple[str, ...] = ()


def decided(chosen: Iterable[Chosen]) -> Iterator[PruneDecision]:
    for one, strategy, verdict in chosen:
        yield _made({
            "action": verdict.action,
            "namespace": one.namespace,
            "key": one.key,
            "seq": one.seq,
            "reason": verdict.reason,
            "size_bytes": one.size_bytes,
            "rule": f"{strategy}.{verdict.rule}",
            "strategy": strategy,
            "score": verdict.score,
            "agent": one.agent,
            "kind": one.kind,
            "merge_into": verdict.merge_into,
        })  # fmt: skip


def _made(fields: dict[str, Any]) -> PruneDecision:
    """What `model_construct` does, without its look at each field: every one is given, and comes
    from the store. Of what a plan of many thousands costs, this is the largest part."""
    made = PruneDecision.__new__(PruneDecision)
    _SET(made, "__dict__", fields)
    _SET(made, "__pydantic_fields_set__", _ALL)
    _SET(made, "__pydantic_extra__", None)
    _SET(made, "__pydantic_private__", None)
    return made


_SET: Final = object.__setattr__
_ALL: Final = set(PruneDecision.model_fields)
