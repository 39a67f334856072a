"""Places: what of an address may be shown, and the same place from every folder.

>>> shown("postgresql://ada:pa55@db/memory?sslmode=require")
'postgresql://db/memory'
>>> absolute("sqlite:////srv/memory.db"), absolute("/srv/memory.db")
('sqlite:////srv/memory.db', '/srv/memory.db')
"""

from __future__ import annotations

import re
from pathlib import Path

SQLITE = "sqlite:///"


def shown(url: str) -> str:
    """The address without user, password, query and fragment."""
    scheme, separator, rest = url.rpartition("://")
    if not separator:
        return url
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    return f"{scheme}{separator}{place.rpartition('@')[2]}"


def absolute(url: str) -> str:
    """The same store or target, from whatever folder a run is started."""
    if url.startswith(SQLITE):
        return SQLITE + str(Path(url.removeprefix(SQLITE)).absolute())
    return url if "://" in url else str(Path(url).absolute())
