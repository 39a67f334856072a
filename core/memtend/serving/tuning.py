"""Tuning how long things live: proposed from the log of accesses, tried, watched, taken back.

A proposal is a plan like any other. Applying it changes nothing but rules: on a share of the keys
first, on all of them once that share has shown to cost less, and back to what they were as soon as
too many reads come too late.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from memtend.errors import TrialUnknown
from memtend.errors.learning import learn_packages
from memtend.guard import clear_ttl
from memtend.serving.alerting import Alerting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtend.learn.ttl.fitted import FittedTtl
    from memtend.learn.tuning.plan import TtlPlan
    from memtend.learn.tuning.watching import Seen
    from memtend.model.policyfile import PolicyFile
    from memtend.model.trial import TrialLook, TtlReport, TtlTrial
    from memtend.serving.tuning_facts import Gathered
    from memtend.serving.tuning_watch import Log
    from memtend.store.trials import Trial
    from memtend.store.tuned import Turn

ACTOR: Final = "tuning"
ALERT: Final = "ttl.regret"


class Tuning(Alerting):
    """Proposals need the packages of learning; whoever watches trials does not."""

    def plan_ttl(self, by: str = "rule") -> TtlPlan:
        """Which times to live to change, `by` the rules that hold or by `namespace`; raises
        `LearnPackageMissing`."""
        return self._planned(self._gathered(by))

    def fit_ttl(self, by: str = "rule") -> tuple[TtlPlan, FittedTtl | None]:
        """The plan and the fit that it rests on, None where there is no access yet."""
        gathered = self._gathered(by)
        return self._planned(gathered), gathered.fitted

    def keep_ttl_plan(self, plan: TtlPlan) -> str:
        """Save a plan for whoever reviews it; its digest, by which it is applied."""
        from memtend.plans import save_plan  # noqa: PLC0415

        return save_plan(plan, self.settings.plans_url, self.clock).sha256

    def kept_ttl_plan(self, digest: str) -> TtlPlan:
        """The plan with that digest, or the beginning of it; raises `PlanMissing`,
        `PlanAltered`."""
        from memtend.serving.tuning_plans import kept_plan  # noqa: PLC0415

        return kept_plan(digest, self.settings.plans_url, self.clock)

    def apply_ttl(self, plan: TtlPlan) -> TtlReport:
        """Begin the trials of a plan; raises `TtlPlanStale`, `PlanForeign`, `PlanStale`,
        `ClockAlarmed`.

        1. the policy files before and after, beside the plans
        2. rules and trials, in one transaction

        Repeated, it changes nothing. Deadlines that records have already do not change.
        """
        from memtend.serving import tuning_trials as trials  # noqa: PLC0415
        from memtend.store.tuned import turn  # noqa: PLC0415

        digest = sha256(plan.model_dump_json().encode()).hexdigest()
        if done := trials.of_plan(self._trials(), digest):
            return self._report(digest, done, plan, written=0)
        ids = {one.namespace: self.clock.new_id() for one in plan.to_change()}
        files: list[str] = []
        with self._maintaining("ttl") as lease:
            facts = self.facts()

            def decide(file: PolicyFile, known: Sequence[Trial], now_ms: int) -> Turn | None:
                if trials.of_plan(known, digest):
                    return None  # somebody else has applied it meanwhile
                clear_ttl(
                    plan, lease=lease, facts=facts, planned_for=plan.policies,
                    policies=file.policies.digest,
                )  # fmt: skip
                return trials.begun(plan, digest, ids, file, known, now_ms)

            self._refresh()
            file = self.memory.config.file
            foreseen = decide(file, self._trials(), self.clock.now_ms())
            if foreseen is not None and foreseen.file is not None:
                files = [
                    self._keep_file(file, f"before the plan {digest[:12]}"),
                    self._keep_file(foreseen.file, f"with the plan {digest[:12]}"),
                ]
            made = turn(self.store, self.memory.config, decide, ACTOR, lease)
        begun = [] if made is None else trials.of_plan(made.trials, digest)
        return self._report(digest, begun, plan, written=len(begun), files=files)

    def undo_ttl(self, plan_digest: str) -> TtlReport:
        """Put the rules back that a plan has changed, as they were; raises `TrialUnknown`.

        A rule that somebody has set otherwise since stays.
        """
        from memtend.model.trial import TrialState, TtlReport  # noqa: PLC0415
        from memtend.serving import tuning_trials as trials  # noqa: PLC0415
        from memtend.store.tuned import turn  # noqa: PLC0415

        digest = self._digest(plan_digest)
        with self._maintaining("ttl") as lease:

            def decide(file: PolicyFile, known: Sequence[Trial], now_ms: int) -> Turn | None:
                own = trials.of_plan(known, digest)
                return trials.put_back(own, TrialState.UNDONE, file, now_ms, "undone")

            made = turn(self.store, self.memory.config, decide, ACTOR, lease)
        changed = () if made is None else made.trials
        now = [trials.shown(one) for one in trials.of_plan(self._trials(), digest)]
        undone = sum(one.state == TrialState.UNDONE for one in changed)
        return TtlReport(
            operation="undo", applied=True, planned=len(now), written=undone,
            changed_since=len(changed) - undone, unchanged=len(now) - len(changed), plan=digest,
            trials=tuple(now),
        )  # fmt: skip

    def knows_ttl(self, plan_digest: str) -> bool:
        """Whether a digest, or its beginning, is that of a plan of times to live."""
        try:
            self._digest(plan_digest)
        except TrialUnknown:
            return False
        return True

    def trials(self) -> tuple[TtlTrial, ...]:
        """What is or was tried, the newest first."""
        from memtend.serving.tuning_trials import shown  # noqa: PLC0415

        return tuple(map(shown, self._trials()))

    def watch_trials(self) -> tuple[TrialLook, ...]:
        """Look at what is under way, promote what has shown to be better, and take back what is
        regretted too much; that is an alert, told before it is done. Safe to repeat, and beside
        others who do the same."""
        from memtend.serving.tuning_trials import terms_of  # noqa: PLC0415
        from memtend.serving.tuning_watch import read  # noqa: PLC0415

        self._refresh()
        self._settle()
        running = [one for one in self._trials() if one.ended_ms is None]
        if not running:
            return ()
        self.memory.flush()
        now_ms = self.clock.now_ms()
        log = read(self.store, min(terms_of(one, now_ms).began_ms for one in running))
        return tuple(self._watched(one, log) for one in reversed(running))

    def _settle(self) -> None:
        """Canaries that nobody watches end."""
        from memtend.serving.tuning_trials import without_orphans  # noqa: PLC0415
        from memtend.store.tuned import turn  # noqa: PLC0415

        if without_orphans(self.memory.config.file, self._trials()) is None:
            return

        def decide(file: PolicyFile, known: Sequence[Trial], _now_ms: int) -> Turn | None:
            return without_orphans(file, known)

        turn(self.store, self.memory.config, decide, ACTOR)

    def _watched(self, trial: Trial, log: Log) -> TrialLook:
        from memtend.learn.tuning.watching import Verdict  # noqa: PLC0415
        from memtend.model.trial import TrialState  # noqa: PLC0415
        from memtend.serving import tuning_trials as trials  # noqa: PLC0415
        from memtend.serving.tuning_watch import look, looked  # noqa: PLC0415
        from memtend.store.tuned import turn  # noqa: PLC0415

        now_ms = self.clock.now_ms()
        seen = look(log, self.memory.config.file, trial, now_ms)
        if seen is not None and seen.verdict is Verdict.WAIT:
            return looked(trials.shown(trial), seen)
        if seen is not None and seen.verdict is Verdict.ALARM:
            self._tell(trial, seen)

        def decide(file: PolicyFile, known: Sequence[Trial], now_ms: int) -> Turn | None:
            now = next((one for one in known if one.id == trial.id), None)
            if now is None or now.ended_ms is not None or now.state != trial.state:
                return None  # somebody else has seen the same
            if seen is not None and seen.verdict is Verdict.PROMOTE and trials.holds(now, file):
                return trials.promoted(now, file, now_ms, seen)
            why = "" if seen is None else seen.why
            return trials.put_back([now], TrialState.ROLLED_BACK, file, now_ms, why, seen)

        turn(self.store, self.memory.config, decide, ACTOR)
        after = next(one for one in self._trials() if one.id == trial.id)
        return looked(trials.shown(after), seen)

    def _tell(self, trial: Trial, seen: Seen) -> None:
        from memtend.model.alert import AlertLevel  # noqa: PLC0415

        facts = trial.facts
        self.raise_alert(
            ALERT,
            AlertLevel.WARNING,
            f"{seen.why}; {facts['after']} is taken back to {facts['before']}",
            "`memtend learn ttl trials` says what was tried. Raise regret_max below learn: ttl in "
            "the policy file if that many may.",
            scope=f"rule {trial.namespace}",
        )

    def _gathered(self, by: str) -> Gathered:
        from memtend.serving.tuning_facts import gather  # noqa: PLC0415

        self._refresh()
        with learn_packages():
            return gather(self.memory, by)

    def _planned(self, gathered: Gathered) -> TtlPlan:
        from memtend.learn.tuning.plan import plan_ttl  # noqa: PLC0415

        file = self.memory.config.file
        notes = [] if gathered.learned else ["no access is in the sample yet"]
        if not file.learn.accesses:
            notes.append("the policy file says that no accesses are sampled")
        return plan_ttl(
            gathered.classes, file.learn.ttl, self.facts(), policies=file.policies.digest,
            learned=gathered.learned, notes=tuple(notes),
        )  # fmt: skip

    def _refresh(self) -> None:
        self.memory.config.refresh(self.store.meta().config)

    def _trials(self) -> list[Trial]:
        """Those of times to live."""
        from memtend.store.trials import listed  # noqa: PLC0415

        return [one for one in listed(self.store) if "plan" in one.facts]

    def _digest(self, digest: str) -> str:
        """The whole of it, from its beginning."""
        from memtend.plans import whole_digest  # noqa: PLC0415

        found = whole_digest(digest, {str(one.facts["plan"]) for one in self._trials()})
        if found is None:
            raise TrialUnknown(plan=digest)
        return found

    def _keep_file(self, file: PolicyFile, what: str) -> str:
        """A policy file that people can read and set, beside the plans; its name."""
        from memtend.objects import open_target  # noqa: PLC0415
        from memtend.policies import dump_policies  # noqa: PLC0415

        text = f"# The policies {what}. To have them again: memtend policies set FILE\n"
        data = (text + dump_policies(file)).encode()
        name = f"policies-{sha256(data).hexdigest()}.yaml"
        open_target(self.settings.plans_url, self.clock).put_if_absent(name, data)
        return name

    def _report(
        self, digest: str, begun: list[Trial], plan: TtlPlan, written: int,
        files: list[str] | None = None,
    ) -> TtlReport:  # fmt: skip
        from memtend.model.trial import TtlReport  # noqa: PLC0415
        from memtend.serving.tuning_trials import shown  # noqa: PLC0415

        former, now = files or ("", "")
        return TtlReport(
            operation="ttl", applied=True, planned=len(plan.to_change()), written=written,
            unchanged=len(plan.to_change()) - written, plan=digest,
            trials=tuple(map(shown, begun)), former=former, now=now,
        )  # fmt: skip
