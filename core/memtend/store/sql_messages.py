"""Statements of messages: what was sent, and what waits in each inbox."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final[dict[str, str]] = {}
