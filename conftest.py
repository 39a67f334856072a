"""What every test and every example may use. A fixture lives in `tests/fixtures/`, one per file.

Here and not in `tests/`, because the examples in README.md, docs/ and core/ are tests too.
"""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, settings

FIXTURES = Path(__file__).parent / "tests" / "fixtures"

pytest_plugins = [
    "tests.docs.examples",
    *(f"tests.fixtures.{path.stem}" for path in sorted(FIXTURES.glob("[!_]*.py"))),
]

# Busy machines are slow, and slow is not wrong: no deadlines, no complaint about slow generation.
settings.register_profile(
    "house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")
