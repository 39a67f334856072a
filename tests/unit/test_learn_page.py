"""What was learned in words: the gate's decision, what it is worth, what is tried, what is left."""

from __future__ import annotations

from datetime import UTC, datetime

from memtend.model.trial import TrialLook, TrialState, TtlTrial
from memtend_tasks.learn import FAILED, NOTHING, Learned, ScenarioLearned
from memtend_tasks.learnpage import decision, learn_lines, learn_rows, trial_lines
from memtend_tasks.sentence import sentence
from memtend_tasks.trials import TrialsWatched
from tests.fixtures.markup import HOSTILE

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def lesson(status: str = "candidate", **more: object) -> ScenarioLearned:
    given = {"scenario": "default", "status": status, "why": "it saves 0.1", **more}
    return ScenarioLearned.model_validate(given)


def look(state: TrialState, verdict: str) -> TrialLook:
    trial = TtlTrial(
        id="1" * 32, pattern="session/*", state=state, plan="a" * 64, ttl_before_ms=None,
        ttl_ms=86_400_000, share=0.1, began_at=NOON, until=NOON,
    )  # fmt: skip
    return TrialLook(trial=trial, verdict=verdict, why="5 of 40 reads came too late")


def test_every_scenario_has_its_decision() -> None:
    cases = {
        "may be put in use": lesson(adopted=True, ready=True),
        "refused by the gate: what is done today stays": lesson(),
        "in use": lesson("active", adopted=True),
        "FAILED": lesson(FAILED),
        "nothing to learn from": lesson(NOTHING),
        "retired": lesson("retired", adopted=True),
    }
    assert [decision(one) for one in cases.values()] == list(cases)
    page = "\n".join(learn_lines(list(cases.values()), ("task-tiny",)))
    assert "**1 of 6** scenarios" in page
    assert "`task-tiny`" in page
    assert [row["decision"] for row in learn_rows(cases.values())] == list(cases)


def test_insights_stand_with_their_evidence() -> None:
    found = lesson(insights=(("`mesh` is faster", "80% of 40"),))
    page = "\n".join(learn_lines([found]))
    assert "## What the outcomes say" in page
    assert "80% of 40" in page
    assert "nothing to learn from yet" in learn_lines([])[0]


def test_trials_say_from_what_to_what() -> None:
    page = "\n".join(trial_lines([look(TrialState.ROLLED_BACK, "alarm")]))
    assert "| permanent | 1d | rolled back | alarm | 5 of 40 reads came too late |" in page
    assert trial_lines([]) == []


def test_hostile_names_are_text() -> None:
    lines = learn_lines([lesson(scenario=text, why=text, drift=text) for text in HOSTILE])
    assert "<script" not in "\n".join(lines).lower()


def test_runs_are_told_in_a_sentence() -> None:
    done = Learned(applied=True, scenarios=3, fitted=2, refused=1, promoted=1, proposed=4)
    assert sentence(done) == (
        "2 models fitted, 1 refused by the gate, 1 put in use, 4 other times to live proposed"
    )
    assert sentence(Learned(applied=False, scenarios=0, fitted=0)) == "nothing new was learned"
    looks = (look(TrialState.ROLLED_BACK, "alarm"), look(TrialState.PROMOTED, "promote"))
    watched = TrialsWatched(running=1, looks=looks)
    assert sentence(watched) == (
        "1 times to live are tuned, 1 hold for all keys now, 1 were TAKEN BACK"
    )
    assert sentence(TrialsWatched(running=0)) == "no time to live is being tuned"
