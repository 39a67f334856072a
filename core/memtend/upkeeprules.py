"""The sections `cleanup_schedule:`, `quotas:`, `safety:` and `logging:` of a policy file.

They are those of the older lifecycle tool's files, and what is left out keeps its default.
"""

from __future__ import annotations

import re
from typing import Any

from memtend.durations import parse_bytes
from memtend.model.policyfile import (
    TIME_OF_DAY,
    CleanupLogging,
    CleanupSchedule,
    PolicySafety,
    Quotas,
)
from memtend.safeyaml import Node


def read_schedule(node: Node | None) -> CleanupSchedule:
    """When the scheduled sweep runs; raises `InvalidPolicy`, as all of these do."""
    given = node.mapping(CleanupSchedule.model_fields) if node else {}
    fields: dict[str, Any] = {}
    if "enabled" in given:
        fields["enabled"] = given["enabled"].flag()
    if "interval_hours" in given:
        fields["interval_hours"] = given["interval_hours"].whole(1, 8_760)
    if "time_of_day" in given:
        fields["time_of_day"] = given["time_of_day"].plain()
        if not re.fullmatch(TIME_OF_DAY, fields["time_of_day"], re.ASCII):
            raise given["time_of_day"].error("a time of day is written HH:MM, from 00:00 to 23:59")
    return CleanupSchedule(**fields)


def read_quotas(node: Node | None) -> Quotas:
    """Bytes that agents, sessions and the store may hold."""
    given = node.mapping(Quotas.model_fields) if node else {}
    fields: dict[str, Any] = {}
    for name in ("agent_bytes", "session_bytes", "store_bytes"):
        if name in given:
            fields[name] = parse_bytes(given[name].plain())
            if not fields[name]:
                raise given[name].error("a quota is a number of bytes, or such as 100MiB, 10GiB")
    if "warn_share" in given:
        fields["warn_share"] = given["warn_share"].number(0.01, 1)
    return Quotas(**fields)


def read_safety(node: Node | None) -> PolicySafety:
    """How much one sweep may delete."""
    given = node.mapping(PolicySafety.model_fields) if node else {}
    if "delete_share_max" not in given:
        return PolicySafety()
    return PolicySafety(delete_share_max=given["delete_share_max"].number(0, 1))


def read_logging(node: Node | None) -> CleanupLogging:
    """What the operator wants logged."""
    given = node.mapping(CleanupLogging.model_fields) if node else {}
    fields: dict[str, Any] = {name: given[name].flag() for name in given if name.startswith("log_")}
    if "level" in given:
        levels = ("debug", "info", "warning", "error", "critical")
        fields["level"] = given["level"].choice({name: name.upper() for name in levels})
    return CleanupLogging(**fields)
