"""The maintenance cycle: whatever keeps a store small, healthy and restorable, in one run."""

from collections.abc import Callable
from typing import Any

from prefect import State
from pydantic import BaseModel

from memtend_flows.archive import archive
from memtend_flows.backup import backup
from memtend_flows.decorator import memory_flow
from memtend_flows.drill import drill
from memtend_flows.health import health
from memtend_flows.optimize import optimize
from memtend_flows.parameters import Archive, Store, Target
from memtend_flows.prune import prune
from memtend_flows.report import report
from memtend_flows.rotate import rotate
from memtend_flows.sweep import sweep
from memtend_flows.verify import verify
from memtend_tasks.errors import StepsFailed
from memtend_tasks.figures import table
from memtend_tasks.lessons import announce_trials
from memtend_tasks.migrate import pending_migrations
from memtend_tasks.opened import store_address
from memtend_tasks.publish import progress, publish_page
from memtend_tasks.sentence import sentence
from memtend_tasks.trials import TrialsWatched, watch_ttl_trials


@memory_flow
def tend(
    store: Store = "default",
    target: Target = "default",
    archive_target: Archive = "default",
    dry_run: bool = True,
    prune_dry_run: bool = True,
) -> dict[str, BaseModel]:
    """Back up, archive, sweep, prune, optimize, verify, drill, rotate, judge the health, report.

    What deletes comes after what keeps: the backup before everything, the archive before the
    sweep, and old backups go only when the newest one has passed its drill in this run. A step
    that fails stops none of the others: a sweep that was refused is no reason to go without a
    drill. The run fails at the end and says which steps did. `dry_run` only holds back what moves
    and deletes: the backup is taken either way. What a prune would take is shown and stays, unless
    `prune_dry_run` is false, too: then what is more than goes in a day without approval is refused.
    Values of older versions are counted and named in the report, and left as they are: `migrate`
    moves them, when somebody says so. Times to live that are being tried are looked at, and taken
    back where they are regretted; what is learned is the flow `learn`'s.

    Args:
        store: "default", NAME of a Secret block memtend-store-NAME, or a URL without password.
        target: "default", NAME of a Secret block memtend-backup-NAME, or a URL without password.
        archive_target: "default" for MEMTEND_ARCHIVE_URL, or where that is not set for the one
            the store knows; NAME of a Secret block memtend-archive-NAME; or a URL without password.
        dry_run: Show what would be archived, deleted, optimized and dropped, and do none of it.
        prune_dry_run: Show what a prune would take and by which rule, and prune nothing.
    """
    address = store_address(store)
    steps: dict[str, State[Any]] = {}

    def proved() -> bool:
        return steps["backup"].is_completed() and steps["drill"].is_completed()

    todo: dict[str, Callable[[], State[Any]]] = {
        "backup": lambda: backup(store, target, "tend", return_state=True),
        "archive": lambda: archive(store, archive_target, dry_run=dry_run, return_state=True),
        "sweep": lambda: sweep(store, dry_run, return_state=True),
        "prune": lambda: prune(
            store, archive_target, ask=False, dry_run=dry_run or prune_dry_run, return_state=True
        ),
        "optimize": lambda: optimize(store, dry_run=dry_run, return_state=True),
        "verify": lambda: verify(store, return_state=True),
        "drill": lambda: drill(store, target, return_state=True),
        "older versions": lambda: pending_migrations(store, return_state=True),
        "trials": lambda: watch_ttl_trials(store, dry_run, return_state=True),
        "rotate": lambda: rotate(store, target, dry_run=dry_run or not proved(), return_state=True),
        "health": lambda: health(store, target, return_state=True),
        "report": lambda: report(store, target, return_state=True),
    }
    step_done = progress(address, "tend", len(todo))
    for name, step in todo.items():
        steps[name] = step()
        step_done(name)
    failed = [name for name, state in steps.items() if not state.is_completed()]
    done = {name: state.result() for name, state in steps.items() if name not in failed}
    if isinstance(watched := done.get("trials"), TrialsWatched):
        announce_trials(address, watched.looks)
    rows = [
        (name, str(state.name), sentence(done[name]) if name in done else str(state.message))
        for name, state in steps.items()
    ]
    publish_page(address, "Tend report", [table(("step", "state", "result"), rows)])
    if failed:
        raise StepsFailed(failed=", ".join(failed), store=address.label)
    return done
