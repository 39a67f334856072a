"""120 and 121: what learning from outcomes needs, and what there is to learn for."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class LearnPackageMissing(MemtendError):
    code = 120
    message = "to learn needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[learn]'."


class ScenarioUnknown(MemtendError):
    code = 121
    message = "there is no scenario {name!r} in the outcomes of this store; there are {known}"
    hint = "See `memtend learn scenarios`; outcomes are recorded with `memtend learn record`."
