"""`learn ttl plan|apply|trials|watch|curves`: how long to keep what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store

if TYPE_CHECKING:
    from memtend.learn.ttl.fitted import Curve
    from memtend.learn.tuning.plan import Range, TtlDecision, TtlPlan
    from memtend.model.trial import TrialLook, TtlReport, TtlTrial

DIGITS: Final = 12
_AGES: Final = (("1m", 60), ("10m", 600), ("1h", 3_600), ("6h", 21_600), ("1d", 86_400),
                ("7d", 604_800), ("30d", 2_592_000))  # fmt: skip
ttl_app = typer.Typer(
    help="How long to keep what: proposed from the log of accesses, tried, watched.",
    no_args_is_help=True,
)
By = Annotated[
    Literal["rule", "namespace"],
    typer.Option(
        "--by", help="Propose for the rules that hold, or for each namespace a rule of its own."
    ),
]


def register(app: typer.Typer) -> None:
    """Below the group `learn`."""
    for command in (plan, apply, trials, watch, curves):
        add(ttl_app, command)
    app.add_typer(ttl_app, name="ttl")


def plan(by: By = "rule", store: Store = None, json: Json = False) -> None:
    """Propose times to live, and say what speaks for and against each.

    The plan is saved beside the others (MEMTEND_PLANS_URL), so that what was read is what is
    applied. Nothing else changes.
    """
    with open_operator(store) as services:
        with show.waiting("learning how long things are used"):
            made = services.plan_ttl(by)
        digest = services.keep_ttl_plan(made)
    if json:
        show.emit({"plan": digest, **made.model_dump(mode="json")})
        return
    _print_plan(made)
    if made.to_change():
        show.say("Nothing was changed. Carry it out with:")
        show.say(f"  memtend learn ttl apply {digest[:DIGITS]}")


def apply(
    plan: Annotated[
        str,
        typer.Argument(
            metavar="PLAN", help="Its digest, or at least the first 8 digits.", show_default=False
        ),
    ],
    store: Store = None,
    json: Json = False,
) -> None:
    """Carry a plan out: each proposal is tried on a share of the keys first.

    Repeated, it changes nothing. `memtend undo PLAN` puts the former rules back.
    """
    with open_operator(store) as services:
        report = services.apply_ttl(services.kept_ttl_plan(plan))
    if json:
        show.emit_model(report)
        return
    _print_report(report)


def trials(store: Store = None, json: Json = False) -> None:
    """List what is or was tried, the newest first."""
    with open_operator(store) as services:
        found = services.trials()
    if json:
        show.emit(found)
    elif found:
        _print_trials(found)
    else:
        show.say("nothing was tried yet")


def watch(store: Store = None, json: Json = False) -> None:
    """Look at what is under way: promote what is better, take back what is regretted.

    Every sweep does the same.
    """
    with open_operator(store) as services:
        found = services.watch_trials()
    if json:
        show.emit(found)
    elif found:
        _print_looks(found)
    else:
        show.say("nothing is under way")


def curves(by: By = "rule", store: Store = None, json: Json = False) -> None:
    """Show after how long how much is still used: the share not used again yet, by age."""
    with open_operator(store) as services, show.waiting("learning how long things are used"):
        _, fitted = services.fit_ttl(by)
    found = () if fitted is None else fitted.curves()
    if json:
        show.emit([_curve(one) for one in found])
        return
    if not found:
        show.say("there are too few accesses in the sample yet")
        return
    rows = [
        (one.name, f"{one.accesses:,}", *(f"{_alive(one, age):.0%}" for _, age in _AGES))
        for one in found
    ]
    heads = ("for", "accesses", *(name for name, _ in _AGES))
    show.table(heads, rows, right=tuple(range(1, len(heads))))


def _print_plan(made: TtlPlan) -> None:
    rows = [
        (one.action.value, one.namespace, _lives(one.ttl_now_ms),
         "" if one.ttl_ms is None else _lives(one.ttl_ms), f"{one.accesses:,}",
         _saved(one), one.reason)
        for one in made.decisions
    ]  # fmt: skip
    if rows:
        heads = ("do", "for", "now", "then", "accesses", "saves", "why")
        show.table(heads, rows, right=(4,))
    changes = len(made.to_change())
    show.facts(
        (
            ("proposed", f"{changes:,} of {made.total:,}"),
            ("from", f"{made.accesses:,} accesses of {made.sampled:.1%} of the keys"),
            ("a miss is worth", f"keeping a record of mean size for {_lives(made.break_even_ms)}"
             if made.break_even_ms else ""),
            ("tried first", _first(made) if changes else ""),
        )
    )  # fmt: skip
    for text in made.notes:
        show.note(text)


def _first(made: TtlPlan) -> str:
    if made.canary_share >= 1:
        return "not at all: it holds for all keys at once, and is watched"
    return f"on {made.canary_share:.0%} of the keys for {_lives(made.canary_ms)} or longer"


def _saved(one: TtlDecision) -> str:
    return "" if one.saving is None else _range(one.saving)


def _range(one: Range) -> str:
    return f"{one.value:.3g} ({one.low:.3g} to {one.high:.3g})"


def _print_report(report: TtlReport) -> None:
    if report.trials:
        _print_trials(report.trials)
    show.facts(
        (
            ("begun", f"{report.written:,} of {report.planned:,}"),
            ("as before", report.former),
            ("as now", report.now),
        )
    )
    if report.written:
        show.done(f"undo it: memtend undo {report.plan[:DIGITS]}")
    else:
        show.say("nothing was left to do: this plan was applied before, or proposes nothing")


def _print_trials(found: tuple[TtlTrial, ...]) -> None:
    rows = [
        (one.id[:8], show.level(one.state.value), one.pattern,
         f"{_lives(one.ttl_before_ms)} -> {_lives(one.ttl_ms)} on {one.share:.0%}",
         f"{one.ended_at or one.until:%Y-%m-%d %H:%M}Z", one.plan[:DIGITS], one.outcome)
        for one in found
    ]  # fmt: skip
    show.table(("trial", "state", "for", "tries", "until", "plan", "outcome"), rows, cut=(0, 5))


def _print_looks(found: tuple[TrialLook, ...]) -> None:
    rows = [
        (one.trial.id[:8], one.trial.pattern, show.level(one.trial.state.value),
         f"{one.regret:.1%} ({one.regret_low:.1%} to {one.regret_high:.1%})",
         f"{one.regret_rest:.1%}", f"{one.cost:.3g} ({one.cost_low:.3g} to {one.cost_high:.3g})",
         f"{one.reads:,}", one.verdict, one.why)
        for one in found
    ]  # fmt: skip
    heads = ("trial", "for", "state", "too late", "of the others", "cost", "reads", "do", "why")
    show.table(heads, rows, right=(6,), cut=(0,))


def _lives(ttl_ms: int | None) -> str:
    from memtend.durations import show_ttl  # noqa: PLC0415

    return show_ttl(ttl_ms)


def _alive(one: Curve, age_s: float) -> float:
    """The share that was not used again by that age."""
    known = [n for n, age in enumerate(one.age_s.tolist()) if age <= age_s]
    return float(one.survival[known[-1]]) if known else 1.0


def _curve(one: Curve) -> dict[str, object]:
    return {
        "name": one.name, "accesses": one.accesses, "ttl_s": one.ttl_s,
        "incumbent_s": one.incumbent_s, "age_s": one.age_s.tolist(),
        "survival": one.survival.tolist(), "low": one.low.tolist(), "high": one.high.tolist(),
    }  # fmt: skip
