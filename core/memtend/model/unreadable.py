"""What cannot be read, in words for a report. It stops one item and never an operation."""

from __future__ import annotations


class Unreadable(ValueError):
    """Why something foreign cannot be read; it is set aside with this reason."""
