"""Whether Prefect's server is this process's own.

Where no server is named, Prefect starts one that ends with the process. Nobody looks after runs
there, and nothing that a process held runs out.
"""

from __future__ import annotations

from prefect.settings import PREFECT_API_URL


def embedded() -> bool:
    return PREFECT_API_URL.value() is None
