"""`get`: one record, its value or all about it, in any version that its value can be cast to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memtend.cli import show
from memtend.cli.opening import open_memory
from memtend.cli.options import Agent, Json, Key, Namespace, Store
from memtend.errors import NotFound

if TYPE_CHECKING:
    from memtend.memory import Memory
    from memtend.model.record import Record

_NEWEST = "newest"


def get(
    namespace: Namespace,
    key: Key,
    record: Annotated[
        bool, typer.Option("--record", help="The whole record: labels, times, dot.")
    ] = False,
    siblings: Annotated[
        bool, typer.Option("--siblings", help="Every concurrent value, not only the newest.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Text without quotes and escapes, as it was stored.")
    ] = False,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="VERSION", help="Cast to that schema version, such as 2.0.0, or newest."
        ),
    ] = None,
    store: Store = None,
    agent: Agent = None,
    json: Json = False,
) -> None:
    """Print the value of a record, as JSON.

    Nothing is printed and the status is 17 where nothing is visible. With --as, items of older
    programs are read as if they were migrated; what is stored stays as it is.
    """
    with open_memory(store, agent) as memory:
        missing = object()
        if siblings:
            found: Any = _cast(memory.siblings(namespace, key), as_) or missing
        elif record:
            one = memory.read(namespace, key)
            found = missing if one is None else _cast([one], as_)[0]
        else:
            found = memory.get(namespace, key, missing)
            if as_ is not None and (one := memory.read(namespace, key)):
                found = _cast([one], as_)[0].value
            _tell_conflict(memory, namespace, key)
    if found is missing:
        raise NotFound(namespace=namespace, key=key)
    if raw and not json and isinstance(found, str):
        typer.echo(found)
    elif not json and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        _print_coloured(found)
    else:
        show.emit(found)


def _cast(records: list[Record], version: str | None) -> list[Record]:
    if version is None:
        return records
    from memtend.upcast.current import as_version  # noqa: PLC0415

    wanted = None if version == _NEWEST else version
    return [as_version(record, wanted) for record in records]


def _tell_conflict(memory: Memory, namespace: str, key: str) -> None:
    """One value is printed; that there are others must not stay unsaid."""
    ns = memory.store.namespaces.find(namespace)
    if ns and ns[0] in memory.store.namespaces.contested:
        record = memory.read(namespace, key)
        if record and record.conflicts:
            where = f"memtend conflicts show {namespace} {key}"
            show.note(f"{record.conflicts:,} more concurrent values: {where}")


def _print_coloured(found: Any) -> None:
    import orjson  # noqa: PLC0415
    from rich import print_json  # noqa: PLC0415

    print_json(orjson.dumps(found, default=show._plain).decode(), ensure_ascii=False)
