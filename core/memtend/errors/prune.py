"""36 to 39: pruning."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ProfileUnknown(MemtendError):
    code = 36
    message = "there is no prune profile {name!r}; there are: {known}"
    hint = "Name one of these, or add it below `prune: profiles:` in the policy file."


class StrategyUnknown(MemtendError):
    code = 37
    message = "there is no prune strategy {name!r}; there are: {known}"
    hint = "Name one of these, or none to use all that the policy file allows."
