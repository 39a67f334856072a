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
            if top in _NOT_COUNTED or _tells_nothing(item):
                item.add_marker(pytest.mark.no_cover)


def _tells_nothing(item: pytest.Item) -> bool:
    """A child that is killed takes its count with it; what a store in memory does, one in a file
    does too, a moment before; and where a request fails after it happened, the same lines run as
    where it fails before. These tests run as ever, in little more than half of the time."""
    spec = getattr(item, "callspec", None)
    given = spec.params if spec else {}
    again = given.get("store_url") == "memory" or given.get("late") is True
    return again or item.name.startswith("test_killed") or "InMemory" in item.nodeid
