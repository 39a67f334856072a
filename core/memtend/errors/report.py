"""89, 112: the report."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ReportPackageMissing(MemtendError):
    """What draws the report is an extra. Nothing was read or written."""

    code = 89
    message = "the report needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[report]'."


class ReportTaken(MemtendError):
    """Something is where the report should go, and it is no report. Nothing was written."""

    code = 112
    message = "{url} is there already, and is no report"
    hint = "Name a place where nothing is, or where an earlier report is."
