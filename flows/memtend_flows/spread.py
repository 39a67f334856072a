"""Stores that share a server begin some minutes apart: each always as many, by its name.

All schedules of a store move by the same number of minutes, so that what comes before what stays as
it is: the backup before the prune, the drill before the rotation.
"""

from hashlib import blake2s

from memtend.limits_flows import SPREAD_MINUTES

_HOUR = 60


def minutes_of(name: str) -> int:
    """0 to SPREAD_MINUTES - 1; the same for a name everywhere and for ever."""
    return int.from_bytes(blake2s(name.encode(), digest_size=8).digest()) % SPREAD_MINUTES


def later(cron: str, minutes: int) -> str:
    """The schedule, so many minutes later: `*/15 * * * *` by 7 is `7,22,37,52 * * * *`.

    Only where no run leaves its hour, or runs come in every hour: otherwise the hours, and at
    midnight the days, would have to move along.
    """
    field, rest = cron.split(" ", 1)
    moved = [minute + minutes for minute in _minutes(field)]
    if moved[-1] >= _HOUR and rest != "* * * *":
        raise ValueError(f"{cron} by {minutes} minutes leaves the hour")
    said = ",".join(str(minute) for minute in sorted(minute % _HOUR for minute in moved))
    return cron if minutes == 0 else f"{said} {rest}"


def _minutes(field: str) -> list[int]:
    """`30`, `*/15`, `5-59/15`: all that the table of schedules uses."""
    stretch, _, step = field.partition("/")
    first, _, last = stretch.replace("*", "0-59").partition("-")
    return list(range(int(first), int(last or first) + 1, int(step or 1)))
