"""`metrics`: the figures of a store, for Prometheus, for programs, for the history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Figured, Json, Store

if TYPE_CHECKING:
    from memtend.services import Services

PANEL = "The store"


def register(app: typer.Typer) -> None:
    add(app, metrics, panel=PANEL)


def metrics(
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="FILE",
            help="Write the text there at one stroke, for the textfile collector.",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen", metavar="HOST:PORT", help="Answer scrapes of /metrics until stopped."
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Judge the health, and keep its score and the figures in the history."
        ),
    ] = False,
    target: Figured = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Print the figures of the store in the text format of Prometheus.

    Sizes, counts, latencies, backlogs, backups, regret. What is not known has no figure. Costs the
    same at any size of the store.
    """
    with open_operator(store) as services:
        if record:
            count = services.record_figures(services.health(target))
            show.done(f"{count:,} figures kept")
        if listen is not None:
            _serve(services, listen, target)
        elif textfile is not None:
            _write(textfile, _text(services, target))
            show.done(f"written to {textfile}")
        elif json:
            found = services.figures(target)
            show.emit([{"series": f.series, "value": f.value} | _parts(f.labels) for f in found])
        elif not record:
            typer.echo(_text(services, target).decode(), nl=False)


def _parts(labels: tuple[tuple[str, str], ...]) -> dict[str, dict[str, str]]:
    return {"labels": dict(labels)}


def _text(services: Services, target: str | None) -> bytes:
    from memtend.metrics.exposition import exposition  # noqa: PLC0415

    return exposition(services.figures(target))


def _serve(services: Services, address: str, target: str | None) -> None:
    from memtend.cli.metrics_serve import serve  # noqa: PLC0415
    from memtend.cli.stopping import stopped  # noqa: PLC0415
    from memtend.metrics.exposition import CONTENT_TYPE  # noqa: PLC0415

    _text(services, target)  # whatever is wrong is told before anybody scrapes
    with stopped() as ended:
        serve(
            address,
            lambda: _text(services, target),
            CONTENT_TYPE,
            ended,
            lambda url: show.say(f"serving {url}; Ctrl-C ends it"),
        )


def _write(path: Path, text: bytes) -> None:
    """A collector reads the file at any moment, so it is never there in part."""
    from tempfile import NamedTemporaryFile  # noqa: PLC0415

    beside, place = None, path.resolve()  # a link stays one
    if place.exists() and not place.is_file():  # a device would be gone for everybody
        raise typer.BadParameter(f"{path} is no file", param_hint="--textfile")
    try:
        with NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
            beside = Path(file.name)
        beside.write_bytes(text)
        beside.chmod(0o644)  # the collector is somebody else
        beside.replace(place)
    except OSError as error:
        if beside:
            beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name that was given
