"""The long form of the faults: `pytest tests/integration --every-fault`.

Without it half of them run, which is what CI can wait for. The option is known only when the folder
is named on the command line, hence the default where it is read.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("integration", "long forms of the tests of faults")
    group.addoption("--every-fault", action="store_true", help="each fault of each verb, both ways")
