"""What has been learned and what has changed since: values, insights, trends, drift, and when to
fit again. Only reads, but for `refit`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from memtend.clock import to_ms
from memtend.errors import ModelDamaged, ModelRefused, ModelUnknown
from memtend.errors.learning import learn_packages
from memtend.limits_learning import REFIT_SHARE
from memtend.model.learned import ModelStatus
from memtend.model.scenario import DEFAULT
from memtend.serving.learning import Learning, Step

if TYPE_CHECKING:
    from memtend.learn.drift import Drift
    from memtend.learn.report import Findings, FitReport, ModelEvaluation, News
    from memtend.model.ended import Ended
    from memtend.model.learned import ModelEntry

_SINCE: Final = "what has come since it was fitted"


class Lessons(Learning):
    def evaluate(self, model: str | None = None, scenario: str = DEFAULT) -> ModelEvaluation:
        """What a model is worth: that named, else the one in use, else the newest of the scenario.

        On what has come since it was fitted, where that is enough; else on the latest outcomes, by
        a model fitted on those before. Raises `ModelUnknown`.
        """
        from memtend.agent.learned import load  # noqa: PLC0415

        entry = self.find_model(model) if model else self._newest(scenario)
        with learn_packages():
            from memtend.learn.evaluation import evaluate  # noqa: PLC0415
            from memtend.learn.facts import judged_earlier, parts_of  # noqa: PLC0415
            from memtend.learn.judged import met_by  # noqa: PLC0415
            from memtend.learn.report import ModelEvaluation  # noqa: PLC0415

            policy = self._learn_policy(entry.seed)
            rows = self._rows_of(entry)
            before, later = parts_of(rows, _last_ms(entry), policy, entry.excluded)
            served = load(self.store, entry)
            met = met_by(served, later) if later else None
            value = evaluate(served, met, _SINCE, before)
            if value is None and before is not None:
                incumbent = served.strategies[served.selector.incumbent]
                value = judged_earlier(before, policy, incumbent).value
        return ModelEvaluation(
            model=entry.model_id,
            scenario=entry.scenario,
            adopted=entry.adopted,
            value=value,
            fact=value.fact if value else "too few outcomes to judge by",
        )

    def findings(self, scenario: str = DEFAULT) -> Findings:
        """What the outcomes say, without the writers that the policy excludes; and whether anything
        has moved since the model in use, else the newest, was fitted."""
        with learn_packages():
            from memtend.learn.insights import insights  # noqa: PLC0415
            from memtend.learn.report import Findings  # noqa: PLC0415
            from memtend.learn.trends import trends  # noqa: PLC0415
            from memtend.learn.writers import suspects  # noqa: PLC0415

            rows, entry = self._rows(scenario), self._known(scenario)
            drift = None if entry is None else self._drift(entry, _heard(entry, rows))
            return Findings(insights(rows), trends(rows), suspects(rows), drift)

    def learning_news(self, scenario: str = DEFAULT) -> News:
        """What has come since the newest model was fitted, and whether that is worth another fit:
        a fifth more outcomes, drift, or a model whose files are not there."""
        with learn_packages():
            from memtend.learn.report import News  # noqa: PLC0415

        found = self.models(scenario)
        if not found:
            rows = [one for one in self._rows(scenario) if one.strategy is not None]
            return News(
                scenario=scenario, model=None, fitted_at=None, outcomes=len(rows), drift=None,
                refit=bool(rows), why="no model was fitted yet",
            )  # fmt: skip
        entry = found[0]
        rows = self._rows_of(entry)
        new = sum(one.at_ms > _last_ms(entry) and one.strategy is not None for one in rows)
        drift = self._drift(entry, rows)
        why, refit = f"{new:,} outcomes are new, {entry.rows:,} were learned from", False
        if lost := self._model_files().missing(entry):
            why, refit = f"files of the newest model are missing: {', '.join(lost)}", True
        elif drift.found:
            why, refit = f"drift: {drift.fact}", True
        elif new >= max(1.0, REFIT_SHARE * entry.rows):
            refit = True
        return News(
            scenario=scenario, model=entry.model_id, fitted_at=entry.made_at, outcomes=new,
            drift=drift, refit=refit, why=why,
        )  # fmt: skip

    def refit(
        self,
        scenario: str = DEFAULT,
        seed: int | None = None,
        exclude_writers: Collection[str] = (),
        *,
        news: News | None = None,
        anew: bool = False,
        step: Step = lambda: None,
    ) -> FitReport | None:
        """Fit again where there is news, without the writers that the newest model went without;
        None where there is none. Another seed, or another writer to go without, is news; `anew`
        asks for none, and `news` are those that somebody has just looked at."""
        news, found = news or self.learning_news(scenario), self.models(scenario)
        before = set(found[0].excluded) if found else set()
        other = found and seed not in (None, found[0].seed)
        if not (anew or news.refit or other or set(exclude_writers) - before):
            return None
        without = before | set(exclude_writers)
        return self.fit_strategy(scenario, seed, without, step=step)

    def _drift(self, entry: ModelEntry, rows: list[Ended]) -> Drift:
        with learn_packages():
            from memtend.agent.learned import load  # noqa: PLC0415
            from memtend.learn.drift import drift  # noqa: PLC0415
            from memtend.learn.judged import expected_success  # noqa: PLC0415

            try:
                served = load(self.store, entry)
            except (ModelDamaged, ModelRefused):  # then by what each strategy did before
                served = None
            known = rows if served is None else [r for r in rows if r.strategy in served.strategies]
            old = [one for one in known if one.at_ms <= _last_ms(entry)]
            new = [one for one in known if one.at_ms > _last_ms(entry)]
            expected = None if served is None else expected_success(served, [*old, *new])
            return drift(old, new, expected)

    def _rows(self, scenario: str) -> list[Ended]:
        """Without the writers that the policy excludes."""
        seen = self.outcomes_for_learning()
        chosen = self._scenario(scenario, seen)
        without = self.memory.config.file.learn.writers_excluded
        return [one for one in seen.rows if chosen.covers(one) and one.writer not in without]

    def _rows_of(self, entry: ModelEntry) -> list[Ended]:
        """Without the writers that the model goes without, too."""
        return _heard(entry, self._rows(entry.scenario))

    def _known(self, scenario: str) -> ModelEntry | None:
        found = self.models(scenario)
        used = (one for one in found if one.status is ModelStatus.ACTIVE)
        return next(used, found[0] if found else None)

    def _newest(self, scenario: str) -> ModelEntry:
        entry = self._known(scenario)
        if entry is None:
            raise ModelUnknown(model=f"of {scenario}")
        return entry


def _heard(entry: ModelEntry, rows: list[Ended]) -> list[Ended]:
    without = entry.excluded
    return [one for one in rows if one.writer not in without]


def _last_ms(entry: ModelEntry) -> int:
    """Up to when it was learned from."""
    return to_ms(entry.last_at or entry.made_at)
