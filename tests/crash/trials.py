"""A time to live on trial, as steps of the crash scripts: rules and trial together, or neither.

Done again, a step does what is left: whatever was cut off, no canary is without its trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from memtend.model.trial import TrialState
from memtend.policies import dump_policies, load_policies
from memtend.services import Services
from tests.fixtures.tuning import HOUR_MS, plan_for

PATTERN: Final = "tuned/*"
RULES: Final = load_policies("namespaces: [{namespace: tuned/*, ttl: 1d}]")


def begin(services: Services) -> None:
    config = services.memory.config
    if not config.file.policies.rules:
        config.set_policies(RULES, "setup")
    if not any(one.state is TrialState.CANARY for one in services.trials()):
        services.apply_ttl(plan_for(services, HOUR_MS, PATTERN))


def end(services: Services) -> None:
    for one in services.trials():
        if one.state is TrialState.CANARY:
            services.undo_ttl(one.plan)


def untied(services: Services) -> Iterator[str]:
    """What must not be, whenever the process was killed."""
    file = services.memory.config.file
    trying = {one.id for one in services.trials() if one.state is TrialState.CANARY}
    canaries = {rule.canary.trial for rule in file.policies.rules if rule.canary is not None}
    if trying != canaries:
        yield f"on trial are {sorted(trying)}, and the rules try {sorted(canaries)}"
    if not trying and file.policies.rules and dump_policies(file) != dump_policies(RULES):
        yield "nothing is on trial, and the rules are not what they were"
