"""Fixtures of the whole suite: one module of `tests/fixtures` per kind of server."""

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.s3"]
