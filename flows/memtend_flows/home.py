"""Where Prefect lives when memtend starts it, and what it may not do: call home.

Prefect reads its settings from the environment when it is imported, so whoever starts it hands
this to a new process. Nothing of a user's own Prefect profile is read or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from memtend.limits import SERVER_START_S_MAX
from memtend.limits_flows import HEARTBEAT_S
from memtend_tasks.place import SQLITE, absolute

_FOLDER = "prefect"
HEARTBEAT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}
"""For whatever process runs a flow: `reclaim` takes a run that is silent for longer for dead."""

_FILES = "prefect.server.concurrency.lease_storage.filesystem"
LEASES = {"PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": _FILES}
"""For the server, which otherwise forgets who holds a place when it ends, and then gives the place
to nobody ever again. The files lie in PREFECT_HOME."""

_POLL_S = 2  # what a person has just asked for begins soon; the server is on this machine


def prefect_home(store_url: str) -> Path:
    """Beside the file of a store; for a database server, in the working folder."""
    path = absolute(store_url).removeprefix(SQLITE)
    return Path(_FOLDER).absolute() if "://" in path else Path(path).parent / _FOLDER


def prefect_environment(home: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """`inherited` without a user's Prefect settings, with ours."""
    kept = {name: text for name, text in inherited.items() if not name.startswith("PREFECT_")}
    return kept | {
        **HEARTBEAT,
        **LEASES,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(int(SERVER_START_S_MAX)),
        "PREFECT_RUNNER_POLL_FREQUENCY": str(_POLL_S),
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
    }
