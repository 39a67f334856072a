"""Learning which strategy works: fitting, judging, putting in use and taking back.

A fit writes the files of a model first and its row after, as a candidate. Nothing is in use before
somebody promotes it, and nothing is promoted that the gate has not let pass, but by name and with a
reason. What is in use changes in one transaction, from what was seen there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from memtend.clock import to_datetime
from memtend.errors import ModelNotPromoted, ScenarioUnknown
from memtend.errors.learning import learn_packages
from memtend.model.learned import CARD, STRATEGY
from memtend.model.scenario import DEFAULT, applicable
from memtend.serving.modelfiles import ModelShelf
from memtend.serving.outcomes import Outcomes
from memtend.store import models

if TYPE_CHECKING:
    from memtend.learn.recommender import FittedRecommender
    from memtend.learn.report import FitReport, ScenarioSeen
    from memtend.model.learned import ModelEntry
    from memtend.model.learnpolicy import LearnPolicy
    from memtend.model.scenario import Scenario
    from memtend.serving.outcomes import OutcomesSeen

FIT_STEPS: Final = 4
"""Reading, fitting, judging, writing."""
_NS: Final = 1_000_000_000
_NAMES_MAX: Final = 64
Step = Callable[[], None]


class Learning(Outcomes, ModelShelf):
    """Models of strategies, by scenario."""

    def scenarios(self) -> tuple[ScenarioSeen, ...]:
        """What there are outcomes of: everything, each type of task, each swarm."""
        with learn_packages():
            from memtend.learn.report import ScenarioSeen  # noqa: PLC0415

        seen = self.outcomes_for_learning()
        least = self.memory.config.file.learn.outcomes_min
        used = models.in_use(self.store)
        by_name: dict[str, list[str]] = {}
        for row in seen.rows:
            if row.strategy is not None:
                for name in applicable(row.task_type, row.swarm):
                    by_name.setdefault(name, []).append(row.strategy)
        found = []
        for one in self.all_scenarios(seen):
            rows, model = by_name.get(one.name, []), used.get(one.name)
            found.append(
                ScenarioSeen(
                    name=one.name, task_type=one.task_type, swarm=one.swarm, outcomes=len(rows),
                    strategies=len(set(rows)), enough=len(rows) >= least,
                    model=model.model_id if model else None,
                )
            )  # fmt: skip
        return tuple(found)

    def fit_strategy(
        self,
        scenario: str = DEFAULT,
        seed: int | None = None,
        exclude_writers: Collection[str] = (),
        *,
        step: Step = lambda: None,
    ) -> FitReport:
        """Fit a model and enter it as a candidate; `step` is called after each of `FIT_STEPS`.

        Raises `ScenarioUnknown`, `OutcomesUnusable`, `LearnPackageMissing`.
        """
        with learn_packages():
            from memtend.learn.outcomes import OutcomeTable  # noqa: PLC0415
            from memtend.learn.recommender import fit_recommender  # noqa: PLC0415

            began_ns = self.clock.monotonic_ns()
            seen = self.outcomes_for_learning()
            chosen, policy = self._scenario(scenario, seen), self._learn_policy(seed)
            rows = [one for one in seen.rows if chosen.covers(one)]
            table = OutcomeTable.of(rows, policy, excluding=exclude_writers)
            step()
            incumbent = policy.incumbents.get(chosen.task_type or "")
            fitted = fit_recommender(table, policy, incumbent=incumbent)
            step()
            return self._entered(fitted, chosen, policy, seen, step, began_ns)

    def models(self, scenario: str | None = None) -> tuple[ModelEntry, ...]:
        """The newest first."""
        return tuple(one for one in models.listed(self.store, scenario) if one.kind == STRATEGY)

    def find_model(self, model: str) -> ModelEntry:
        """By its id or the beginning of it, where only one begins so; raises `ModelUnknown`."""
        found = [one for one in self.models() if model and one.model_id.startswith(model)]
        return found[0] if len(found) == 1 else models.find(self.store, model)

    def model_card(self, model: str) -> str:
        """Markdown; raises `ModelUnknown`, `ModelDamaged`."""
        return self._model_files().read(self.find_model(model), CARD).decode()

    def promote(self, model: str, *, forced: str = "") -> ModelEntry:
        """Put a model in use. `forced` is the reason for doing so though the gate did not let it
        pass. Raises `ModelNotPromoted`, `ModelUnknown`, and what keeps its files from being used.
        """
        from memtend.agent.learned import ModelsInUse, load  # noqa: PLC0415

        entry = self.find_model(model)
        if not entry.adopted and not forced:
            why = f"the gate has not let it pass: {entry.why}"
            raise ModelNotPromoted(model=entry.model_id, scenario=entry.scenario, why=why)
        load(self.store, entry)  # what cannot be loaded here is not put in use anywhere
        used = models.active(self.store, entry.scenario)
        if used is not None and used.model_id == entry.model_id:
            return used
        promoted = models.promote(
            self.store, entry.model_id, expected=used.model_id if used else None,
            actor=self._learner, why=forced and f"forced: {forced}",
        )  # fmt: skip
        ModelsInUse.of(self.store).look_again()
        return promoted

    def rollback(self, scenario: str = DEFAULT, *, why: str = "") -> ModelEntry | None:
        """Take the model in use back; what was in use when it was fitted is so again, or none.

        Raises `ModelNotPromoted` where none is in use.
        """
        from memtend.agent.learned import ModelsInUse  # noqa: PLC0415

        used = models.active(self.store, scenario)
        if used is None:
            raise ModelNotPromoted(
                model="that was in use before", scenario=scenario, why="none is in use now"
            )
        back = models.roll_back(
            self.store, scenario, expected=used.model_id, actor=self._learner, why=why
        )
        ModelsInUse.of(self.store).look_again()
        return back

    @property
    def _learner(self) -> str:
        return self.memory.agent or "learn"

    def _learn_policy(self, seed: int | None = None) -> LearnPolicy:
        policy = self.memory.config.file.learn
        return policy if seed is None else policy.model_copy(update={"seed": seed})

    def _scenario(self, name: str, seen: OutcomesSeen) -> Scenario:
        for one in self.all_scenarios(seen):
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.all_scenarios(seen)[:_NAMES_MAX])
        raise ScenarioUnknown(name=name, known=known)

    def _entered(
        self,
        fitted: FittedRecommender,
        chosen: Scenario,
        policy: LearnPolicy,
        seen: OutcomesSeen,
        step: Step,
        began_ns: int,
    ) -> FitReport:
        from memtend import __version__  # noqa: PLC0415
        from memtend.learn.card import card_of  # noqa: PLC0415
        from memtend.learn.facts import facts_of, judged_earlier, section_of  # noqa: PLC0415
        from memtend.learn.modelfile import pack  # noqa: PLC0415
        from memtend.learn.report import FitReport  # noqa: PLC0415
        from memtend.model.learned import ModelEntry, ModelStatus  # noqa: PLC0415

        usual = fitted.served.strategies[fitted.served.selector.incumbent]
        earlier = judged_earlier(fitted.table, policy, usual)
        step()
        card, told = card_of(fitted) + section_of(earlier.value), facts_of(fitted, chosen, earlier)
        model_id = self.clock.new_id()
        files = self._model_files().write(model_id, pack(fitted, card=card))
        used = models.active(self.store, chosen.name)
        facts = fitted.facts
        entry = ModelEntry(
            model_id=model_id, scenario=chosen.name, kind=STRATEGY, status=ModelStatus.CANDIDATE,
            made_at=to_datetime(self.clock.now_ms()), parent=used.model_id if used else None,
            program=f"memtend {__version__}", seed=policy.seed, rows=facts.outcomes,
            first_at=to_datetime(facts.first_ms), last_at=to_datetime(facts.last_ms), files=files,
            why=fitted.learned.why, facts=told,
        )  # fmt: skip
        models.save(self.store, entry, self._learner)
        dropped = self._drop_surplus()
        step()
        return FitReport(
            scenario=chosen.name,
            model=entry,
            adopted=fitted.learned.adopted,
            outcomes=facts.outcomes,
            left_out={**seen.left_out, **{one.why: one.outcomes for one in fitted.table.left_out}},
            suspects=facts.suspects,
            judged=earlier.value,
            card=card,
            dropped=tuple(dropped),
            seconds=(self.clock.monotonic_ns() - began_ns) / _NS,
        )

    def _drop_surplus(self) -> list[str]:
        """Models that need not be kept: first out of the registry, then their files."""
        old = [one.model_id for one in models.surplus(self.models())]
        dropped = models.drop(self.store, old, actor=self._learner, why="old") if old else []
        if dropped:
            self._model_files().remove(dropped)
        return dropped
