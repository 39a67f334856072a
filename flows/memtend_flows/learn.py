"""The lessons of a store: which strategy works where, and how long to keep what."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from memtend.errors import MemtendError
from memtend.limits_learning import FITS_AT_ONCE
from memtend.model.plan import PlanRef
from memtend_flows.approval import ask_for_approval
from memtend_flows.decorator import memory_flow
from memtend_flows.parameters import Promote, Scenario, Seed, Store, TuneTtl, Workers
from memtend_flows.wide import wide
from memtend_tasks.address import Address
from memtend_tasks.errors import LessonsFailed
from memtend_tasks.escaping import Markdown, paragraphs
from memtend_tasks.learn import (
    FAILED,
    Learned,
    ScenarioLearned,
    apply_ttl_plan,
    failed,
    find_scenarios,
    learn_scenario,
    make_ttl_plan,
    promote_models,
)
from memtend_tasks.learnpage import learn_lines, learn_rows, trial_lines
from memtend_tasks.lessons import announce_lessons, announce_trials
from memtend_tasks.opened import store_address
from memtend_tasks.planpage import headline, touched
from memtend_tasks.publish import publish_link, publish_page, publish_plan, publish_rows
from memtend_tasks.report import report_link, write_report
from memtend_tasks.sentence import sentence
from memtend_tasks.trials import watch_ttl_trials
from memtend_tasks.turn import store_turn


class Proposal(NamedTuple):
    """Times to live: the plan, what it says in a sentence, and how many rules it changes."""

    ref: PlanRef
    said: str
    rules: int


@memory_flow
def learn(
    store: Store = "default",
    scenario: Scenario = "default",
    promote: Promote = Promote.ASK,
    tune_ttl: TuneTtl = TuneTtl.PROPOSE,
    seed: Seed = -1,
    workers: Workers = 0,
    dry_run: bool = True,
) -> Learned:
    """Learn which strategy works and how long to keep what. Uses nothing of it in a dry run.

    Where enough is new, a model is fitted, judged on outcomes that it has not seen, and refused
    unless it surely holds against the strategy in use today. One that holds is put in use when
    somebody has approved it in the form that appears on the run's page, or at once (`auto`). Times
    to live are proposed as a plan; to try them changes rules, on a tenth of the keys first, and
    what is regretted is taken back. `memtend learn rollback` and `memtend undo` take back the rest.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        scenario: default for one model of all tasks; all for each type of task and swarm that has
            outcomes enough besides; or the name of one, such as task-review.
        promote: What becomes of a model that the gate lets pass: somebody is asked, it is put in
            use at once (auto), or not at all.
        tune_ttl: What becomes of times to live: nothing (off), a plan to read, or a trial on a
            tenth of the keys.
        seed: Fit anew with this one, also where nothing is new. -1: the policy file's.
        workers: How many processes fit, up to 64, each another scenario; 0: two in this one.
        dry_run: Fit, judge and propose, and put nothing in use.
    """
    address = store_address(store)
    looks = watch_ttl_trials(store, dry_run or tune_ttl is TuneTtl.OFF).looks
    chosen = find_scenarios(store, scenario)
    found = _learned(store, chosen.names, None if seed < 0 else seed, workers)
    lines = [*learn_lines(found, chosen.left), *trial_lines(looks)]
    page = publish_page(address, "Learn report", lines)
    publish_rows(address, "learn-decisions", learn_rows(found))
    _publish_cards(address, found)
    proposal = None if tune_ttl is TuneTtl.OFF else _proposed(store, address)
    promoted: Sequence[str] = ()
    tried, note = 0, ""
    if not dry_run:
        ready = [one.model for one in found if one.ready and promote is not Promote.NO]
        tries = proposal if tune_ttl is TuneTtl.TRY and proposal and proposal.rules else None
        if promote is Promote.ASK and (ready or tries):
            note = _ask(address, page, found if ready else (), tries)
        if ready or tries:  # else nobody has to be waited for
            with store_turn(address.label):
                promoted = promote_models(store, ready) if ready else ()
                tried = apply_ttl_plan(store, tries.ref).written if tries else 0
    announce_lessons(address, found, promoted)
    announce_trials(address, looks)
    written = write_report(store, "default")
    if link := report_link(address):
        publish_link(address, "report", link, "The report, with pictures of what was learned")
    done = Learned(
        applied=not dry_run, scenarios=len(found), fitted=sum(one.fitted for one in found),
        refused=sum(one.fitted and not one.adopted for one in found), promoted=len(promoted),
        proposed=proposal.rules if proposal else 0, tried=tried, report=written.path,
    )  # fmt: skip
    approved = f"Approved: {note}" if note else ""
    publish_page(address, "Lessons", [sentence(done), approved], done)
    if wrong := ", ".join(one.scenario for one in found if one.status == FAILED):
        raise LessonsFailed(failed=wrong, store=address.label)
    return done


def _learned(
    store: str, names: Sequence[str], seed: int | None, workers: int
) -> list[ScenarioLearned]:
    """A few at a time, for each fit takes a processor. One that fails stops none of the others."""
    if workers and len(names) > 1:
        calls = [{"store": store, "scenario": name, "seed": seed} for name in names]
        with wide(min(workers, len(names))) as crew:
            ended = crew.submit(learn_scenario, calls).ended()
        return [
            failed(name, one) if isinstance(one, MemtendError) else one
            for name, one in zip(names, ended, strict=True)
        ]
    found = []
    for start in range(0, len(names), FITS_AT_ONCE):
        some = names[start : start + FITS_AT_ONCE]
        for name, run in [(name, learn_scenario.submit(store, name, seed)) for name in some]:
            try:
                found.append(run.result())
            except MemtendError as error:
                found.append(failed(name, error))
    return found


def _publish_cards(address: Address, found: Sequence[ScenarioLearned]) -> None:
    for one in found:
        if one.card:
            publish_page(address, f"Model card {one.scenario}", [Markdown(one.card)])


def _proposed(store: str, address: Address) -> Proposal:
    ref = make_ttl_plan(store)
    plan = publish_plan(address, ref).plan
    return Proposal(ref, headline(plan), touched(plan))


def _ask(
    address: Address, page: UUID, found: Sequence[ScenarioLearned], tries: Proposal | None
) -> str:
    """One form for all that would be put in use."""
    lines = learn_lines(found) if found else []
    text = paragraphs([*lines, tries.said if tries else ""])
    return ask_for_approval(address, "use of what was learned", text, page)
