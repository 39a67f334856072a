"""Errors that only the command can meet. The same tree as `memtend.errors`."""

from __future__ import annotations

from memtend.errors import MemtendError


class ExtraMissing(MemtendError):
    code = 3
    message = "`{what}` needs the extra {extra!r}, which is not installed"
    hint = "Install it: pip install 'memtend[flows]'."


class Unhealthy(MemtendError):
    """A health check found something critical. The report says what and what to do."""

    code = 71
    message = "{store} needs somebody now: {checks}"
    hint = "Do what the report says beside each critical check."
