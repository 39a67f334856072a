"""107: costs from which no strategy can be selected."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class CostsUnusable(MemtendError):
    code = 107
    message = "from these costs no strategy can be selected: {why}"
    hint = "Give what every strategy costs in every context; else learn from single outcomes."
