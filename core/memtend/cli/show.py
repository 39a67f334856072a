"""What a command prints: JSON for programs, tables for people, progress for those who wait.

Rich is imported only where a person looks at a table; colour and progress need a terminal, and
`NO_COLOR` is respected.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Protocol

import typer

from memtend.errors import MemtendError
from memtend.limits import GIB, KIB, MIB

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.text import Text

    from memtend.model.plan import Report

VALUE_CHARS_SHOWN = 60
ROWS_SHOWN = 20
PIPED_CHARS = 200
FOLLOW_S = 0.2


def emit(data: Any) -> None:
    """Any JSON value on stdout, indented."""
    import orjson  # noqa: PLC0415

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    typer.echo(orjson.dumps(data, default=_plain, option=options).decode())


def emit_model(model: BaseModel, **more: Any) -> None:
    typer.echo(model.model_dump_json(indent=2, **more))


def styled(text: str, **style: Any) -> str:
    """Text with colour or weight, for terminals; plain where `NO_COLOR` is set."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, **style)


def say(text: str) -> None:
    """Talk: one line on stderr."""
    typer.echo(text, err=True)


def done(text: str) -> None:
    say(f"{styled('✓', fg='green')} {text}")


def note(text: str) -> None:
    say(f"{styled('note:', fg='yellow')} {text}")


def console() -> Console:
    """Where tables go. Piped, nothing is styled, and lines are wide enough to be searched."""
    from rich.console import Console  # noqa: PLC0415

    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if known else PIPED_CHARS)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    right: Sequence[int] = (),
    cut: Sequence[int] = (),
) -> None:
    """A table in the house style. Columns in `right` hold numbers; those in `cut` never wrap."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1))
    for number, head in enumerate(heads):
        made.add_column(
            head,
            justify="right" if number in right else "left",
            no_wrap=number in right or number in cut,
            overflow="ellipsis" if number in cut else "fold",
        )
    for row in rows:
        # Text, not markup: a stored `[red]` is content.
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console().print(made)


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, one pair a line."""
    pairs = [(name, value) for name, value in rows if value]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        typer.echo(f"{styled(name.ljust(width), dim=True)}  {clean(value)}")


class Found(Protocol):
    """One thing that a verification found."""

    @property
    def where(self) -> str: ...

    @property
    def why(self) -> str: ...


def removal(report: Report, json: bool, *, freed: str = "freed") -> None:
    """What a deed that removes has done; `freed` says where the bytes went."""
    if json:
        emit_model(report)
        return
    changed, nbytes = report.changed_since, report.bytes_freed
    facts(
        (
            ("deleted", f"{report.deleted:,}"),
            ("changed since the plan", f"{changed:,}" if changed else ""),
            (freed, size(nbytes) if nbytes else ""),
            ("longest lock", f"{report.longest_lock_ms:.0f} ms" if report.slices else ""),
            ("took", f"{report.seconds:.1f} s"),
        )
    )
    for text in report.notes:
        note(clean(text))


def verdict(findings: Sequence[Found], damage_count: int, checked: str) -> None:
    """The first findings of a verification, and whether what it checked is whole."""
    if findings:
        rows = ((clean(one.where), one.why) for one in findings[:ROWS_SHOWN])
        table(("where", "damage"), rows)
    if damage_count:
        note(f"{damage_count:,} damaged parts: {checked}")
    else:
        done(f"whole: {checked}")


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner with the time it has taken so far; silent unless stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


@contextmanager
def counting(what: str, total: int, done: Callable[[], int]) -> Iterator[None]:
    """A bar that follows `done`, asked a few times a second; silent unless stderr is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(what, total=total)
        with _followed(lambda: progress.update(task, completed=min(done(), total))):
            yield


@contextmanager
def reading(what: str, things: str, done: Callable[[], int]) -> Iterator[None]:
    """A bar without an end, for what nobody can count beforehand, and how many are through."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task(what, total=None, told="")
        with _followed(lambda: progress.update(task, told=f"{done():,} {things}")):
            yield


@contextmanager
def _followed(look: Callable[[], None]) -> Iterator[None]:
    """Look a few times a second, in a thread of its own."""
    ended = Event()

    def follow() -> None:
        while not ended.wait(FOLLOW_S):
            with suppress(MemtendError):  # the work itself will tell
                look()

    follower = Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()


def clean(text: str) -> str:
    """Stored text without control characters: a record must not steer somebody's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def on_line(text: str) -> str:
    """The same on one line: a name must not look like a line of ours."""
    return clean(text).replace("\n", "\\n").replace("\t", " ")


def shorten(value: Any) -> str:
    """A value as one line of JSON, cut where a table would burst."""
    import orjson  # noqa: PLC0415

    text = clean(orjson.dumps(value).decode())
    return text if len(text) <= VALUE_CHARS_SHOWN else text[: VALUE_CHARS_SHOWN - 1] + "…"


def size(count: int) -> str:
    """Bytes as people read them."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:,} B"


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def level(name: str) -> Text:
    """A level that can be read without colour."""
    from rich.text import Text  # noqa: PLC0415

    styles = {"ok": "green", "live": "green", "info": "cyan", "warning": "yellow",
              "error": "red", "critical": "bold red"}  # fmt: skip
    return Text(name, style=styles.get(name, "yellow"))


def _plain(value: object) -> Any:
    from pydantic import BaseModel  # noqa: PLC0415

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} is no JSON value")
