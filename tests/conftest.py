"""Fixtures of the whole suite, and what its figures of coverage rest on."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.s3"]

_NOT_COUNTED = {"crash", "flows", "laws", "ui"}
"""Tests that run a million steps, or other programs: counting their lines triples what they take,
and tells nothing that the tests of the same code do not."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(root):
            top = item.path.relative_to(root).parts[0]
            if top in _NOT_COUNTED:
                item.add_marker(pytest.mark.no_cover)
