"""109, 110: metrics."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class MetricsPackageMissing(MemtendError):
    code = 109
    message = "the text of Prometheus needs the package {package}, which is not installed"
    hint = "Install it with the extra that brings it: pip install 'memtend[metrics]'."


class ListenRefused(MemtendError):
    code = 110
    message = "cannot listen on {address}: {why}"
    hint = "Name a free port of this machine, as in `memtend metrics --listen 127.0.0.1:9464`."
