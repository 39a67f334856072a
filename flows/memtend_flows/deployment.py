"""A flow as something that the server runs for one store: its name, schedules, tags and form.

`memtend serve` and `memtend deploy` make their deployments here, so that both say the same.
"""

from typing import NamedTuple

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from memtend import __version__
from memtend_flows.schedules import TAGS, Served
from memtend_flows.spread import minutes_of
from memtend_tasks.address import DEFAULT
from memtend_tasks.opened import store_label

STORE_TAG = "store:"


class Place(NamedTuple):
    """One store, with its backups and its archive, as a form takes them: names or addresses.

    A store that is named has deployments of its own, such as `sweep-prod`, which begin some minutes
    apart from those of others.
    """

    store: str = DEFAULT
    target: str = DEFAULT
    archive_target: str = DEFAULT

    @property
    def label(self) -> str:
        """What tells its deployments from those of other stores; "" for the default."""
        return "" if self.store == DEFAULT else store_label(self.store)

    @property
    def tags(self) -> list[str]:
        return [f"{STORE_TAG}{self.label}"] if self.label else []

    @property
    def minutes(self) -> int:
        return minutes_of(self.label) if self.label else 0

    def named(self, flow: str) -> str:
        return f"{flow}-{self.label}" if self.label else flow

    def parameters(self, served: Served) -> dict[str, str]:
        """Of those, what the flow's form takes and is not the default."""
        fields = served.flow.parameters.properties
        given = self._asdict().items()
        return {name: text for name, text in given if name in fields and text != DEFAULT}


HERE = Place()
"""The store of the settings where the run executes."""


def deployment(served: Served, place: Place = HERE) -> RunnerDeployment:
    """One run at a time; a second one waits for the first. What is there once has no store."""
    place = HERE if served.once else place
    return RunnerDeployment.from_flow(
        served.flow,
        name=place.named(served.flow.name),
        schedules=served.schedules(place.minutes),
        parameters=place.parameters(served),
        tags=[*TAGS, served.tag, *place.tags],
        description=told(served),
        version=__version__,
        concurrency_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def told(served: Served) -> str:
    """What the flow says of itself; its parameters speak for themselves in the form."""
    return str(served.flow.description).split("\n\nArgs:")[0].strip()
