"""What automations hear of learning: models put in use or refused, drift, trials taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memtend.alerting.wording import harmless
from memtend.model.trial import TrialLook, TrialState
from memtend_tasks.address import Address
from memtend_tasks.learn import ScenarioLearned
from memtend_tasks.publish import (
    LEARN_DRIFT,
    LEARN_PROMOTED,
    LEARN_REFUSED,
    TRIAL_ROLLED_BACK,
    announce,
)


def announce_lessons(
    address: Address, found: Iterable[ScenarioLearned], promoted: Sequence[str]
) -> None:
    """Names come from memory: what may reach a chat cannot be anything but text there."""
    for one in found:
        facts = {"scenario": one.scenario, "model": one.model, "outcomes": one.outcomes}
        if one.model in promoted:
            announce(LEARN_PROMOTED, address, facts | {"worth": harmless(one.worth)})
        elif one.fitted and not one.adopted:
            announce(LEARN_REFUSED, address, facts | {"why": harmless(one.why)})
        if one.drift:
            announce(LEARN_DRIFT, address, facts | {"drift": harmless(one.drift)})


def announce_trials(address: Address, looks: Iterable[TrialLook]) -> None:
    """Those that were taken back by a look."""
    for look in looks:
        if look.trial.state is TrialState.ROLLED_BACK:
            facts = look.trial.model_dump(mode="json", include={"id", "plan", "ttl_ms"})
            said = {"rule": harmless(look.trial.pattern), "why": harmless(look.why)}
            announce(TRIAL_ROLLED_BACK, address, facts | said)
