"""Figures as the text that Prometheus reads, from a scrape or from a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from memtend.errors import MetricsPackageMissing
from memtend.metrics.figure import Figure

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def exposition(figures: Iterable[Figure]) -> bytes:
    """Raises `MetricsPackageMissing`. Figures of one name stand together already."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
        from prometheus_client.registry import Collector  # noqa: PLC0415
    except ImportError as error:
        raise MetricsPackageMissing(package="prometheus_client") from error

    class Once(Collector):
        def collect(self) -> Iterator[Metric]:
            return _families(figures)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    return generate_latest(registry)


def _families(figures: Iterable[Figure]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415

    for name, group in groupby(figures, key=lambda one: one.name):
        found = list(group)
        labels = [label for label, _ in found[0].labels]
        kind = CounterMetricFamily if found[0].counter else GaugeMetricFamily
        family = kind(name, found[0].help, labels=labels)
        for one in found:
            family.add_metric([text for _, text in one.labels], one.value)
        yield family
