"""What was learned as people read it: scenarios with the gate's word, insights, trials. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memtend.durations import show_ttl
from memtend.model.trial import TrialLook
from memtend_tasks.escaping import Markdown, code
from memtend_tasks.figures import table
from memtend_tasks.learn import FAILED, NOTHING, ScenarioLearned

_INSIGHTS_SHOWN = 20
_NAMES_SHOWN = 12
_WORDS = {FAILED: "FAILED", NOTHING: "nothing to learn from", "active": "in use"}
_NOTHING = (
    "There is nothing to learn from yet: agents record how their tasks end with the strategy that "
    "they followed, and `record_outcomes` does so for systems outside."
)


def learn_headline(found: Sequence[ScenarioLearned]) -> str:
    """What may be put in use."""
    ready = [one for one in found if one.ready]
    fitted = sum(one.fitted for one in found)
    return (
        f"**{len(ready):,} of {len(found):,}** scenarios have a model that holds against what is "
        f"done today and is not in use; {fitted:,} were fitted in this run."
    )


def learn_lines(found: Sequence[ScenarioLearned], left: Sequence[str] = ()) -> list[str]:
    """Every scenario and what became of it, then what the outcomes say."""
    if not found:
        return [_NOTHING, *_left(left)]
    rows = [
        (one.scenario, f"{one.outcomes:,}", decision(one), one.worth or "not judged in this run",
         one.why, one.drift or "none")
        for one in found
    ]  # fmt: skip
    head = ("scenario", "learned from", "decision", "worth", "why", "drift")
    lines = [learn_headline(found), table(head, rows), *_left(left)]
    said = [(one.scenario, *insight) for one in found for insight in one.insights]
    if said:
        some = table(("scenario", "what", "how sure"), said[:_INSIGHTS_SHOWN])
        lines += [Markdown("## What the outcomes say"), some]
    return lines


def learn_rows(found: Iterable[ScenarioLearned]) -> list[dict[str, str]]:
    """For a table of decisions with their reasons."""
    return [
        {"scenario": one.scenario, "decision": decision(one), "why": one.why, "worth": one.worth,
         "model": one.model[:12], "drift": one.drift}
        for one in found
    ]  # fmt: skip


def decision(one: ScenarioLearned) -> str:
    """What becomes of its newest model."""
    if one.status in _WORDS:
        return _WORDS[one.status]
    if not one.adopted:
        return "refused by the gate: what is done today stays"
    return "may be put in use" if one.ready else one.status


def trial_lines(looks: Sequence[TrialLook]) -> list[str]:
    """What is tried of times to live, and what a look at it found."""
    if not looks:
        return []
    rows = [
        (one.trial.pattern, show_ttl(one.trial.ttl_before_ms), show_ttl(one.trial.ttl_ms),
         one.trial.state.value, one.verdict, one.why)
        for one in looks
    ]  # fmt: skip
    head = ("rule", "before", "tried", "state", "verdict", "why")
    return [Markdown("## Times to live that are tried"), table(head, rows)]


def _left(left: Sequence[str]) -> list[str]:
    if not left:
        return []
    some = ", ".join(map(code, left[:_NAMES_SHOWN]))
    more = f" and {len(left) - _NAMES_SHOWN:,} more" if len(left) > _NAMES_SHOWN else ""
    why = "Not learned in this run, for too few outcomes or too many others"
    return [Markdown(f"{why}: {some}{more}.")]
