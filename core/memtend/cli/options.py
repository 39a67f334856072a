"""The options that many commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from memtend.limits import SCAN_MAX

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="A path, sqlite:///PATH or postgresql://…; else MEMTEND_STORE_URL, else memtend.db. "
        "Keep an address with a password in the environment.",
    ),
]
Agent = Annotated[
    str | None,
    typer.Option(
        "--agent", metavar="NAME", help="Act as this agent, with its grants; else MEMTEND_AGENT."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Apply = Annotated[
    bool, typer.Option("--apply", help="Carry the plan out. Without it, only the plan is shown.")
]
Namespace = Annotated[
    str, typer.Argument(metavar="NAMESPACE", help="Such as swarm/shared.", show_default=False)
]
Key = Annotated[
    str, typer.Argument(metavar="KEY", help="The name of the record in it.", show_default=False)
]
Limit = Annotated[
    int,
    typer.Option("--limit", metavar="N", min=1, max=SCAN_MAX, help="At most this many."),
]
Judged = Annotated[
    str | None,
    typer.Option(
        "--target", metavar="URL", help="Judge the backups in this folder or bucket, too."
    ),
]
Figured = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="URL",
        help="Of backups, tell of those in this folder or bucket; else of the newest one anywhere.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="URL",
        help="A folder or fsspec URL such as s3://bucket/backups; else MEMTEND_BACKUP_URL, "
        "else memtend-backups.",
    ),
]
