"""What runs when. `memtend serve` serves this table; `deployments/prefect.yaml` says the same.

Schedules carry their own parameters: a run that nobody looks at applies its plan, a run that
somebody starts from a form previews first.
"""

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
from memtend_flows.record_outcomes import record_outcomes
from memtend_flows.report import report
from memtend_flows.restore import restore
from memtend_flows.rotate import rotate
from memtend_flows.sweep import sweep
from memtend_flows.sync import sync
from memtend_flows.tend import tend
from memtend_flows.verify import verify
from memtend_flows.verify_backups import verify_backups

TAGS = ("memtend",)


class Served(NamedTuple):
    """A flow and, in UTC, when it runs by itself and with what parameters. No cron: by hand.

    A schedule that `wants` a setting is paused where that is not set.
    """

    flow: Flow[..., Any]
    cron: str | None
    parameters: dict[str, Any]
    tag: str
    wants: str | None = None

    @property
    def active(self) -> bool:
        """Whether it runs by itself here."""
        ready = self.wants is None or getattr(Settings(), self.wants) is not None
        return self.cron is not None and ready

    @property
    def schedule(self) -> Schedule | None:
        if self.cron is None:
            return None
        return Cron(
            self.cron,
            timezone="UTC",
            slug="main",
            parameters=self.parameters,
            active=self.active,
        )


SERVED = (
    Served(sweep, "*/15 * * * *", {"dry_run": False}, "deletes"),
    Served(backup, "0 * * * *", {"why": "hourly"}, "keeps"),
    Served(verify, None, {}, "reads"),
    Served(verify_backups, "30 22 * * *", {"max_minutes": 60, "resume": True}, "reads"),
    Served(drill, "30 9,15,21 * * *", {}, "reads"),
    Served(rotate, "15 5 * * *", {"dry_run": False}, "deletes"),
    Served(restore, None, {}, "deletes"),
    Served(archive, "30 1 * * *", {"dry_run": False}, "moves"),
    Served(recall, None, {}, "moves"),
    Served(prune, "30 2 * * *", {"dry_run": False}, "deletes"),
    Served(optimize, "45 4 * * *", {"dry_run": False}, "keeps"),
    Served(sync, "10-59/15 * * * *", {}, "moves"),
    Served(ingest, "20 * * * *", {"dry_run": False}, "moves", wants="import_source"),
    Served(migrate, None, {}, "moves"),
    Served(export, None, {}, "reads"),
    Served(health, "5-59/15 * * * *", {}, "reads"),
    Served(report, "50 * * * *", {}, "reads"),
    Served(learn, "0 4 * * *", {"promote": "auto", "dry_run": False}, "moves"),
    Served(record_outcomes, None, {}, "keeps"),
    Served(tend, "30 3 * * *", {"dry_run": False}, "deletes"),
)
