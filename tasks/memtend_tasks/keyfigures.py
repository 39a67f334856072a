"""The figures that a person looks at first, with their units in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from memtend.metrics.figure import Figure
from memtend_tasks.figures import size, to_span

SHOWN = {
    "memtend_records": "records",
    "memtend_bytes": "values and labels",
    "memtend_file_bytes": "on the disk",
    "memtend_compression_ratio": "compression",
    "memtend_tier_bytes": "tier",
    "memtend_expired_waiting": "expired, not swept yet",
    "memtend_conflict_keys": "keys in conflict",
    "memtend_backup_age_s": "age of the newest backup",
    "memtend_backup_bytes": "size of the newest backup",
    "memtend_drill_age_s": "age of the last good drill",
    "memtend_messages_waiting": "messages waiting",
    "memtend_pruned_total": "pruned so far by",
    "memtend_regret_share": "of these asked for since, by",
    "memtend_cache_hit_share": "reads answered by the cache",
    "memtend_latency_ms": "95 of 100 are faster than this:",
}
_QUANTILE = ("quantile", "0.95")


def key_figures(found: Iterable[Figure]) -> list[tuple[str, str]]:
    """Name and value, in the order of `SHOWN`; what is not known is left out."""
    order = {name: number for number, name in enumerate(SHOWN)}
    shown = [one for one in found if one.name in SHOWN and _is_p95(one)]
    shown.sort(key=lambda one: (order[one.name], one.labels))
    return [(_named(one), figure_text(one.name, one.value)) for one in shown]


def figure_text(name: str, value: float) -> str:
    """A value in the unit that its name ends with.

    >>> figure_text("memtend_file_bytes", 2048.0), figure_text("memtend_drill_age_s", 90.0)
    ('2.0 KiB', '1 min 30 s')
    >>> figure_text("memtend_regret_share", 0.125), figure_text("memtend_records", 1200.0)
    ('12.5%', '1,200')
    """
    unit = name.removesuffix("_total").rpartition("_")[2]
    match unit:
        case "bytes":
            return size(value)
        case "s":
            return to_span(value)
        case "ms":
            return f"{value:,.2f} ms"
        case "share":
            return f"{value:.1%}"
        case "ratio":
            return f"{value:.1f} to 1"
    return f"{value:,.0f}"


def _is_p95(one: Figure) -> bool:
    """Of times only one quantile is shown."""
    return one.label("quantile") is None or _QUANTILE in one.labels


def _named(one: Figure) -> str:
    about = " ".join(text for label, text in one.labels if label != "quantile")
    return f"{SHOWN[one.name]} {about}".strip()
