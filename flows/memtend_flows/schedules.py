"""What runs when. `memtend serve` serves this table; `deployments/prefect.yaml` says the same.

Schedules carry their own parameters: a run that nobody looks at applies its plan, a run that
somebody starts from a form previews first.
"""

from typing import Any, NamedTuple

from prefect import Flow
from prefect.schedules import Cron, Schedule

from memtend_flows.backup import backup
from memtend_flows.health import health
from memtend_flows.sweep import sweep
from memtend_flows.tend import tend
from memtend_flows.verify import verify

TAGS = ("memtend",)


class Served(NamedTuple):
    """A flow and, in UTC, when it runs by itself and with what parameters. No cron: by hand."""

    flow: Flow[..., Any]
    cron: str | None
    parameters: dict[str, Any]
    tag: str

    @property
    def schedule(self) -> Schedule | None:
        if self.cron is None:
            return None
        return Cron(self.cron, timezone="UTC", slug="main", parameters=self.parameters)


SERVED = (
    Served(sweep, "*/15 * * * *", {"dry_run": False}, "deletes"),
    Served(backup, "0 2 * * *", {"why": "daily"}, "keeps"),
    Served(verify, None, {}, "reads"),
    Served(health, "5-59/15 * * * *", {}, "reads"),
    Served(tend, "30 3 * * *", {"dry_run": False}, "deletes"),
)
