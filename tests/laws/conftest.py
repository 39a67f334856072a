"""The long form of the histories: `pytest tests/laws --all-histories`.

Without it three in ten run, which is what CI can wait for. The option is known only when the folder
is named on the command line, hence the default where it is read.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

SHARE = 0.3


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("laws", "long forms of the laws")
    group.addoption("--all-histories", action="store_true", help="10,000 and twice 1,000 of them")


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> Callable[[int], range]:
    """Of so many histories the seeds of those that run."""
    share = 1.0 if request.config.getoption("--all-histories", False) else SHARE
    return lambda count: range(round(share * count))
