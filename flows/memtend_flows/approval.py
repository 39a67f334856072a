"""Somebody has to say yes: a run that waits at a form with the plan, and goes on with the answer.

Prefect builds the form from resolved annotations, so this module is free of
`from __future__ import annotations`.
"""

from uuid import UUID

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from memtend.limits import APPROVAL_POLL_S, APPROVAL_S_MAX, LABEL_CHARS_MAX
from memtend_tasks.address import Address
from memtend_tasks.errors import NotApproved
from memtend_tasks.escaping import Markdown, paragraphs


class Approval(RunInput):
    """The form. Without a tick nothing happens."""

    approve: bool = Field(default=False, description="Carry out exactly this plan.")
    note: str = Field(default="", max_length=LABEL_CHARS_MAX, description="Kept in the report.")


def ask_for_approval(address: Address, operation: str, headline: str, page: UUID) -> str:
    """Wait for a yes and return its note. `NotApproved` when it is a no, or nobody answers."""
    whole = f"[Read the whole plan](/v2/artifacts/artifact/{page}) before you approve it."
    description = paragraphs([headline, f"Store: `{address.shown}`", Markdown(whole)])
    form = Approval.with_initial_data(description=description)
    try:
        answer = pause_flow_run(
            wait_for_input=form, timeout=APPROVAL_S_MAX, poll_interval=APPROVAL_POLL_S
        )
    except FlowPauseTimeout:
        why = f"nobody answered within {APPROVAL_S_MAX // 3600} h"
        raise NotApproved(operation=operation, store=address.label, why=why) from None
    if not answer.approve:
        why = answer.note or "the answer was no"
        raise NotApproved(operation=operation, store=address.label, why=why)
    return answer.note
