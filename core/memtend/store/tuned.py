"""Rules and the trials that change them, in one transaction: both are new, or both as they were.

What is decided is decided from what both are in that transaction, so of two processes that see the
same one acts and the other finds it done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from memtend.store import trials

if TYPE_CHECKING:
    from memtend.model.lease import Lease
    from memtend.model.policyfile import PolicyFile
    from memtend.store.config import Config
    from memtend.store.store import Store
    from memtend.store.trials import Trial

ACTION = "ttl"
"""What the audit trail calls whatever is tuned."""


class Turn(NamedTuple):
    """What is to be: `file` None leaves the rules as they are. `note` goes into the audit trail."""

    file: PolicyFile | None
    trials: Sequence[Trial]
    note: str


Deciding = Callable[["PolicyFile", Sequence["Trial"], int], Turn | None]
"""From the rules in force, the trials, newest first, and the time; None: there is nothing to do."""


def turn(
    store: Store, config: Config, decide: Deciding, actor: str, lease: Lease | None = None
) -> Turn | None:
    """Decide and write; decided again where somebody else changed the rules meanwhile."""
    config.refresh(store.meta().config)
    return config.under_current(lambda: _turn(store, config, decide, actor, lease))


def _turn(
    store: Store, config: Config, decide: Deciding, actor: str, lease: Lease | None
) -> Turn | None:
    with store.change(actor, [], lease, config.version) as (change, _):
        made = decide(config.file, trials.listed_in(change.tx), change.now_ms)
        if made is None:
            return None
        for trial in made.trials:
            trials.save(change.tx, trial)
        if made.file is not None:
            config.keep(change, made.file)
        change.note(ACTION, made.note)
    config.refresh(change.config)
    return made
