"""Options of the long forms: `pytest tests/crash --every-point --flips 2000 --soak-seconds 45
--damages 3000`.

Without them the folder runs the short forms, which are what CI can wait for. They are known only
when the folder is named on the command line, hence the defaults where they are read.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("crash", "long forms of the crash tests")
    group.addoption("--every-point", action="store_true", help="faults at every file operation")
    group.addoption("--power-cuts", type=int, default=1_000, help="disk states to build")
    group.addoption("--flips", type=int, default=100, help="bits to flip, one after the other")
    group.addoption("--damages", type=int, default=300, help="damages to a backup repository")
    group.addoption("--soak-seconds", type=int, default=8, help="length of the soak")
