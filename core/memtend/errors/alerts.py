"""87, 88: alerts."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class AlertUnknown(MemtendError):
    """Nothing was changed."""

    code = 87
    message = "there is no {what} {name!r}{why}"
    hint = "`memtend alerts list` shows those that stand, and the silences, by their ids."


class AlertsUntold(MemtendError):
    """The alerts are kept, and told next time."""

    code = 88
    message = "{channels} could not be told of alerts: {why}"
    hint = (
        "Run `memtend alerts test` from this machine, and correct the address or the network; the "
        "next `memtend alerts check` tells what was not told."
    )
