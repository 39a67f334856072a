"""Export: the store as files that others read."""

from __future__ import annotations

from memtend.clock import to_datetime
from memtend.export.plan import Format
from memtend.export.report import ExportReport
from memtend.settings import Settings
from memtend_tasks.address import resolve
from memtend_tasks.decorator import memory_task
from memtend_tasks.opened import opened, store_address


@memory_task
def write_export(
    store: str, dest: str, format: Format, pattern: str, agent: str | None
) -> ExportReport:
    """Write the store of one moment below `dest`, under a name that nothing has there yet."""
    with opened(store) as services:
        at = to_datetime(services.clock.now_ms())
        name = f"{store_address(store).label}-{at:%Y%m%dT%H%M%SZ}{_ending(format)}"
        base, mark, query = resolve(dest, "export", Settings().export_url).url.partition("?")
        plan = services.plan_export(
            f"{base.rstrip('/')}/{name}{mark}{query}", format, pattern, agent=agent
        )
        return services.apply_export(plan)


def _ending(format: Format) -> str:
    return ".jsonl.zst" if format is Format.JSONL else f"-{format}"
