"""`top`: the store as it is, again and again, until somebody leaves."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Figured, Store
from memtend.durations import parse_duration

if TYPE_CHECKING:
    from memtend.cli.top_view import Shot
    from memtend.services import Services

PANEL = "The store"
EVERY: Final = "2s"
EVERY_MS_MIN: Final = 500
FIGURES_MS: Final = 10_000
"""The figures are read anew so often: they cost more than the number of changes."""
LOOK_S: Final = 0.25
RATES_KEPT: Final = 60


def register(app: typer.Typer) -> None:
    add(app, top, panel=PANEL)


def top(
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="How often to look; at least 500ms.")
    ] = EVERY,
    once: Annotated[bool, typer.Option("--once", help="Print one look and end.")] = False,
    target: Figured = None,
    store: Store = None,
) -> None:
    """Watch the store: sizes, latencies, what waits, changes a second.

    Leave with q or Ctrl-C. Into a pipe it prints one look, as with --once.
    """
    every_ms = parse_duration(every)
    if not every_ms or every_ms < EVERY_MS_MIN:
        why = f"it is no time of at least {EVERY_MS_MIN} ms"
        raise typer.BadParameter(why, param_hint="--every")
    with open_operator(store) as services:
        watching = Watching(services, target)
        if once or not sys.stdout.isatty():
            from memtend.cli.top_view import view  # noqa: PLC0415

            console = show.console()
            console.print(view(watching.look(), console.width))
        else:
            _watch(watching, every_ms / 1_000)


class Watching:
    """Looks at one store, and remembers how many changes there were before."""

    def __init__(self, services: Services, target: str | None) -> None:
        self._services = services
        self._target = target
        self._rates: deque[float] = deque(maxlen=RATES_KEPT)
        self._seen: tuple[int, int] | None = None
        self._shot: Shot | None = None
        self._read_ns = 0

    def look(self) -> Shot:
        from memtend.cli.top_view import Shot  # noqa: PLC0415
        from memtend.clock import to_datetime  # noqa: PLC0415

        services = self._services
        now_ns = services.clock.monotonic_ns()
        rates = tuple(self._changes(now_ns))
        at = show.moment(to_datetime(services.clock.now_ms()))
        shot = self._shot
        if shot is None or now_ns - self._read_ns >= FIGURES_MS * 1_000_000:
            figures, latencies = services.figures(self._target), services.latencies()
            shot, self._read_ns = Shot(services.store.url, at, figures, latencies, rates), now_ns
        self._shot = shot._replace(at=at, rates=rates)
        return self._shot

    def _changes(self, now_ns: int) -> deque[float]:
        """Changes a second since the look before."""
        seq = self._services.store.meta().seq
        if self._seen is not None and now_ns > self._seen[1]:
            before, then_ns = self._seen
            self._rates.append((seq - before) * 1e9 / (now_ns - then_ns))
        self._seen = seq, now_ns
        return self._rates


def _watch(watching: Watching, every_s: float) -> None:
    from rich.live import Live  # noqa: PLC0415

    from memtend.cli.stopping import stopped  # noqa: PLC0415
    from memtend.cli.top_view import view  # noqa: PLC0415

    console = show.console()
    with (
        stopped() as ended,
        _keys(ended) as pressed,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while not ended.is_set():
            live.update(view(watching.look(), console.width), refresh=True)
            waited = 0.0
            while waited < every_s and not ended.is_set():
                pause = min(LOOK_S, every_s - waited)
                if pressed(pause) in ("q", "Q"):
                    return
                waited += pause


@contextmanager
def _keys(ended: Event) -> Iterator[Callable[[float], str]]:
    """Waits so many seconds for a key, read without Enter; "" where none came.

    The terminal is as it was before, whatever happens within.
    """
    import os  # noqa: PLC0415
    import select  # noqa: PLC0415
    import termios  # noqa: PLC0415
    import tty  # noqa: PLC0415

    if not sys.stdin.isatty():
        yield lambda seconds: "" * ended.wait(seconds)
        return
    number = sys.stdin.fileno()

    def pressed(seconds: float) -> str:
        ready, _, _ = select.select([number], [], [], seconds)
        return os.read(number, 1).decode("ascii", "replace") if ready else ""

    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield pressed
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
