"""A blocking call, apart from the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(call: Callable[..., T], *given: Any, **named: Any) -> T:
    """In a thread; a cancelled caller still waits for its end, for what began happens."""
    import asyncio  # noqa: PLC0415 — most who send a message never need it

    task = asyncio.ensure_future(asyncio.to_thread(call, *given, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
