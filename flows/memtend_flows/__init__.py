"""Prefect flows: a table of contents each. They preview unless told otherwise."""
