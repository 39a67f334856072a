"""What `demo` runs in a process of its own: sample, import, learning, tending, a summary."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from memtend.agent.memory import AgentMemory
from memtend.agent.outcome import make_outcome
from memtend.agent.recommending import Advice
from memtend.clock import ManualClock, SystemClock, to_datetime
from memtend.drafting import Put
from memtend.errors import MemtendError
from memtend.limits import SWEEP_MARGIN_MS
from memtend.model.archiverule import ArchivePolicy, ArchiveRule
from memtend.model.layout import outcome_place
from memtend.model.plan import Report
from memtend.model.policyfile import PolicyFile
from memtend.model.record import Labels
from memtend.policies import load_policies
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend_flows.learn import learn
from memtend_flows.parameters import Promote, TuneTtl
from memtend_flows.summary import show_summary
from memtend_flows.tend import tend

SAMPLE = Path(__file__).parents[2] / "deployments" / "demo"
SOURCES = ("lifecycle", "aml", "swarm")
FINISHED_STEPS = 40
SEASON_MS = 100 * 24 * 3_600_000
TRICKS, NOTES = 8, 6
ASKED: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("a small and risky deploy", "deploy", {"files": 2, "risk": "high", "contended_share": 0.1}),
    ("a large build", "build", {"files": 30, "risk": "low", "contended_share": 0.02}),
)
NOTE = "The integration tests need the database, so start it first and wait until it answers."


def main(folder: Path, talk: Console) -> int:
    if not (SAMPLE / "make_sample.py").exists():
        talk.print("[red]the demo needs a checkout[/]: its sample is made by deployments/demo")
        return 1
    settings = Settings()
    with talk.status("making a store and a sample of agent memory"):
        _remember(settings.store_url)
    with (
        talk.status("making a sample of agent memory") as status,
        open_services(settings.store_url) as services,
    ):
        services.memory.config.set_policies(_policies(), "demo")
        _make_sample(services, folder / "sample")
        status.update("importing it")
        imported = {name: _import(services, folder / "sample" / name) for name in SOURCES}
        _leave_behind(services)
        status.update("remembering how a season of tasks ended")
        _record(services, folder / "sample" / "outcomes.jsonl")
    with talk.status("learning what works, on Prefect's embedded server"):
        lessons = learn(promote=Promote.AUTO, tune_ttl=TuneTtl.OFF, dry_run=False)
    with talk.status("tending the store"):
        done: dict[str, BaseModel] = tend(dry_run=False, prune_dry_run=False)
    with open_services(settings.store_url) as services:
        show_summary(talk, folder, imported, {"learn": lessons, **done}, _advice(services))
    return 0


def _record(services: Services, file: Path) -> None:
    """As the agents would have done, when each of their tasks ended."""
    puts = []
    for line in file.read_text("utf-8").splitlines():
        told = json.loads(line)
        outcome = make_outcome(
            outcome_id=told["outcome_id"], swarm_id="demo", task_type=told["task_type"],
            agents_involved=(told["agent"],), outcome_type=told["result"],
            strategy=told["strategy"], propensity=told["propensity"],
            duration_s=told["duration_s"], context=told["context"], recorded_by=told["agent"],
            timestamp_ms=told["at_ms"],
        )  # fmt: skip
        place = outcome_place(outcome.outcome_id)
        puts.append(Put(*place, outcome.stored(), Labels(kind="outcome", agent=told["agent"])))
    services.memory.put_many(puts)


def _advice(services: Services) -> dict[str, str]:
    """What an agent would be told, for two tasks."""
    agent = AgentMemory(services.memory, "planner", "demo")
    return {
        name: _said(agent.get_coordination_strategy(context, task_type=task_type))
        for name, task_type, context in ASKED
    }


def _said(advice: Advice) -> str:
    if not advice.learned or advice.expected_success is None:
        return f"{advice.strategy or 'nothing yet'}: {advice.why}"
    return (
        f"{advice.strategy}, which succeeds in about {advice.expected_success:.0%} of such tasks "
        f"(between {advice.success_low or 0:.0%} and {advice.success_high or 1:.0%})"
    )


def _remember(store_url: str) -> None:
    """What an agent of last season left: tricks that hardly ever worked, and one note too often."""
    clock = ManualClock(SystemClock().now_ms() - SEASON_MS)
    failed = Labels(kind="pattern", agent="old-hand", success_count=1, failure_count=9)
    with open_services(store_url, clock=clock) as services:
        services.memory.put_many(
            Put("agent/old-hand/tricks", f"trick-{n}", {"trick": n, "retries": n * 5}, failed)
            for n in range(TRICKS)
        )
        services.memory.put_many(
            Put("agent/old-hand/notes", f"note-{n}", {"note": NOTE}) for n in range(NOTES)
        )


def _policies() -> PolicyFile:
    """Those of the sample, which knew no archive, with a rule under which some of it is cold."""
    rule = ArchiveRule(name="learned", namespace="agent/*/patterns", larger_than_bytes=512)
    file = load_policies(SAMPLE / "memory-retention-policies.yaml")
    return file.model_copy(update={"archive": ArchivePolicy(rules=(rule,))})


def _make_sample(services: Services, folder: Path) -> None:
    base = to_datetime(services.clock.now_ms()).isoformat()
    command = (sys.executable, str(SAMPLE / "make_sample.py"), str(folder), "--base", base)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _leave_behind(services: Services) -> None:
    """What a session of this store noted and outlived: a sweep has something to do."""
    past_ms = services.clock.now_ms() - 2 * SWEEP_MARGIN_MS
    services.memory.put_many(
        Put("session/demo", f"step-{n}", {"step": n, "state": "done"}, expires_at_ms=past_ms)
        for n in range(FINISHED_STEPS)
    )


def _import(services: Services, source: Path) -> Report:
    return services.apply_import(services.plan_import(str(source)))


if __name__ == "__main__":
    console = Console()
    try:
        sys.exit(main(Path(sys.argv[1]), console))
    except MemtendError as error:
        console.print(f"[red]{error}[/]")
        sys.exit(error.code)
