"""What runs when. `memtend serve` serves this table, `memtend deploy` puts it on a server, and
`deployments/prefect.yaml` says the same.

Schedules carry their own parameters: a run that nobody looks at applies its plan, a run that
somebody starts from a form previews first. Times are UTC, and apart: the night goes from what
keeps (archive, backup) by what deletes (prune) to what proves (drill) and what drops old backups.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from prefect import Flow
from prefect.schedules import Cron, Schedule

from memtend.settings import Settings
from memtend_flows.archive import archive
from memtend_flows.backup import backup
from memtend_flows.drill import drill
from memtend_flows.export import export
from memtend_flows.health import health
from memtend_flows.ingest import ingest
from memtend_flows.learn import learn
from memtend_flows.migrate import migrate
from memtend_flows.optimize import optimize
from memtend_flows.prune import prune
from memtend_flows.recall import recall
from memtend_flows.reclaim import reclaim
from memtend_flows.record_outcomes import record_outcomes
from memtend_flows.report import report
from memtend_flows.restore import restore
from memtend_flows.rotate import rotate
from memtend_flows.spread import later
from memtend_flows.sweep import sweep
from memtend_flows.sync import sync
from memtend_flows.tend import tend
from memtend_flows.verify import verify
from memtend_flows.verify_backups import verify_backups

TAGS = ("memtend",)
TIMEZONE = "UTC"


class When(NamedTuple):
    """One schedule of a flow, with the parameters of its runs. `slug` tells a flow's schedules
    apart, and is what the server knows each by."""

    cron: str
    parameters: Mapping[str, Any] = MappingProxyType({})
    slug: str = "main"

    def schedule(self, active: bool, minutes: int) -> Schedule:
        return Cron(
            later(self.cron, minutes),
            timezone=TIMEZONE,
            slug=self.slug,
            parameters=dict(self.parameters),
            active=active,
        )


class Served(NamedTuple):
    """A flow and when it runs by itself. No `when`: by hand.

    `tag` says what it does to the store. Schedules that `want` a setting are paused where that is
    not set, and those of an `idle` flow until somebody resumes them. What is there `once` is not
    for one store, but for a server with all its stores.
    """

    flow: Flow[..., Any]
    tag: str
    when: tuple[When, ...] = ()
    wants: str | None = None
    idle: bool = False
    once: bool = False

    @property
    def active(self) -> bool:
        """Whether it runs by itself here."""
        ready = self.wants is None or getattr(Settings(), self.wants) is not None
        return bool(self.when) and ready and not self.idle

    def schedules(self, minutes: int = 0) -> list[Schedule]:
        """Its schedules, all of them so many minutes later."""
        return [when.schedule(self.active, minutes) for when in self.when]


SERVED = (
    Served(sweep, "deletes", (When("*/15 * * * *", {"dry_run": False}),)),
    Served(
        backup,
        "keeps",
        (
            When("0 2 * * *", {"why": "daily"}, "daily"),
            When("0 0-1,3-23 * * *", {"why": "hourly"}, "hourly"),
        ),
    ),
    Served(verify, "reads", (When("0 3 * * 6"),)),
    Served(verify_backups, "reads", (When("30 22 * * *", {"max_minutes": 60, "resume": True}),)),
    Served(drill, "reads", (When("0 5,17 * * *"),)),  # twice: one may fail, none may be overdue
    Served(rotate, "deletes", (When("45 5 * * *", {"dry_run": False}),)),
    Served(restore, "deletes"),
    Served(archive, "moves", (When("30 1 * * *", {"dry_run": False}),)),
    Served(recall, "moves"),
    Served(prune, "deletes", (When("0 3 * * 0", {"ask": True, "dry_run": False}),)),
    Served(optimize, "keeps", (When("0 4 1 * *", {"dry_run": False}),)),
    Served(sync, "moves", (When("10-59/15 * * * *"),)),
    Served(ingest, "moves", (When("20 * * * *", {"dry_run": False}),), wants="import_source"),
    Served(migrate, "moves"),
    Served(export, "reads"),
    Served(
        health,
        "reads",
        (
            When("0 6 * * *", {"light": False}, "daily"),
            When("5-59/15 * * * *", {"light": True}, "light"),
        ),
    ),
    Served(report, "reads", (When("50 * * * *"),)),
    Served(learn, "moves", (When("30 4 * * *", {"promote": "auto", "dry_run": False}),)),
    Served(record_outcomes, "keeps"),
    Served(reclaim, "keeps", (When("*/5 * * * *"),), once=True),
    # Everything in one run, for those who would rather read one page: the others do the same.
    Served(tend, "deletes", (When("30 3 * * *", {"dry_run": False}),), idle=True),
)
