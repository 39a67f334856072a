"""What every test and every example may use. A fixture lives in `tests/fixtures/`, one per file.

Here and not in `tests/`, because the examples in README.md, docs/ and core/ are tests too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

FIXTURES = Path(__file__).parent / "tests" / "fixtures"

# Before any of them is loaded: they import one another, and not in the order of this list.
pytest.register_assert_rewrite("tests.fixtures")
pytest_plugins = [
    "tests.docs.examples",
    *(f"tests.fixtures.{path.stem}" for path in sorted(FIXTURES.glob("[!_]*.py"))),
]

# Busy machines are slow, and slow is not wrong: no deadlines, no complaint about slow generation.
settings.register_profile(
    "house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a worker of xdist: what takes long comes first. Within a file nothing moves."""
    if hasattr(config, "workerinput"):
        from tests.sharing import order_of  # noqa: PLC0415 — only where there are workers

        key = order_of([item.nodeid for item in items])
        items.sort(key=lambda item: key(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from tests.sharing import LongestFirst  # noqa: PLC0415 — only where there are workers

    config.option.loadscopereorder = False
    return LongestFirst(config, log)
