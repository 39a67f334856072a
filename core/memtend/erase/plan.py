"""What an erasure would take out. Pure; counts only, because a plan must not outlive the names.

An erasure is asked for by name, so there is no share of the store that it may not exceed. What it
names is found again when it is carried out: whatever the subject has written by then goes as well.
"""

from __future__ import annotations

from pydantic import Field

from memtend.model.facts import Facts
from memtend.model.plan import Plan
from memtend.model.subject import Subject


class ErasePlan(Plan, frozen=True, extra="forbid"):
    """`rows` are siblings and elements of sets. The subject is in no dump of the plan.

    `copies` are whole stores that restores have replaced and kept: they are removed. `models` are
    learned ones that name the subject: they are dropped, and who uses one goes on without it.
    """

    subject: Subject = Field(exclude=True, repr=False)
    kind: str
    rows: int = 0
    size_bytes: int = 0
    elements: int = 0
    expired: int = 0
    quarantined: int = 0
    archived: int = 0
    copies: int = 0
    messages: int = 0
    models: int = 0


def plan_erase(
    subject: Subject,
    facts: Facts,
    *,
    rows: int,
    size_bytes: int,
    elements: int,
    expired: int,
    quarantined: int,
    archived: int,
    copies: int,
    messages: int = 0,
    models: int = 0,
) -> ErasePlan:
    """Everything that the subject has. A subject that has nothing is still written down: old
    backups and sources of imports may have more."""
    return ErasePlan(
        operation="erase",
        store_id=facts.store_id,
        made_at=facts.at,
        basis=facts.seq,
        total=facts.records,
        subject=subject,
        kind=subject.kind.value,
        rows=rows,
        size_bytes=size_bytes,
        elements=elements,
        expired=expired,
        quarantined=quarantined,
        archived=archived,
        copies=copies,
        messages=messages,
        models=models,
    )
