"""The `migrate` commands: older values, and stores of older schemas, moved forward.

The schema comes first everywhere: a store of an older one cannot be opened to look at its values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtend.cli import migrate_back, migrate_show, show
from memtend.cli.adding import add
from memtend.cli.opening import open_operator
from memtend.cli.options import Json, Store, Target

if TYPE_CHECKING:
    from memtend.migrate.plan import MigrationPlan
    from memtend.migrate.report import MigrationReport
    from memtend.model.upgrade import SchemaPlan, SchemaReport, SchemaState
    from memtend.services import Services

Family = Annotated[
    str | None, typer.Option("--family", metavar="NAME", help="Of values; else the only one.")
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="VERSION", help="Of the values; else the newest there is."),
]
Scratch = Annotated[
    str | None,
    typer.Option(
        "--scratch", metavar="FOLDER", help="Where to rehearse; else the system's temporary one."
    ),
]
migrate = typer.Typer(help="Values and schemas of older versions.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (detect, plan, apply, migrate_back.rollback, migrate_back.history):
        add(migrate, command)
    app.add_typer(migrate, name="migrate", rich_help_panel="Upkeep")


def detect(family: Family = None, store: Store = None, json: Json = False) -> None:
    """Say of which schema the store is, and of which versions its values are.

    Looks at every value. Values of several versions side by side are normal: every version is
    understood wherever it is read.
    """
    state = schema_of(store)
    found = None
    if not state.pending and not state.newer:
        with open_operator(store) as services, show.waiting("looking at every value"):
            found = services.detect_migrations(family)
            services.pending_migrations(family, full=True)
    migrate_show.detected(state, found, json)


def plan(
    family: Family = None,
    to: To = None,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Also carry it out on a restored copy of a backup.")
    ] = False,
    target: Target = None,
    scratch: Scratch = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Say what migrating would do; the store stays as it is.

    A store of an older schema is told what would become of its schema. Its values are planned when
    that is done.
    """
    state = schema_of(store)
    if state.pending or state.newer:
        migrate_show.schema_plan(_schema_plan(store), json)
        return
    with open_operator(store) as services:
        with show.waiting("casting every older value"):
            made = services.plan_migration(family, to)
        done = None
        if rehearse and made.planned:
            with show.waiting("rehearsing on a restored copy"):
                done = services.rehearse_migration(made, target, scratch=scratch)
    migrate_show.planned(made, json, done)


def apply(
    family: Family = None,
    to: To = None,
    without_rehearsal: Annotated[
        bool,
        typer.Option("--without-rehearsal", help="Do not try it on a copy first; back up all the "
                     "same."),
    ] = False,
    target: Target = None,
    scratch: Scratch = None,
    store: Store = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Move the schema, then every older value: back up, rehearse, apply, verify.

    The rehearsal restores the backup into a scratch copy, migrates that, and looks at every row:
    what is not meant must stay byte by byte, and from what is moved the way back must lead to
    exactly what was. Cut off anywhere, it is finished by running it again.
    """
    schema = _apply_schema(store, rehearsal=not without_rehearsal)
    with open_operator(store) as services:
        with show.waiting("casting every older value"):
            made = services.plan_migration(family, to)
        if not made.planned:
            migrate_show.nothing(made, json, schema)
            return
        if not without_rehearsal:
            with show.waiting("backing up, and rehearsing on a restored copy"):
                services.rehearse_migration(made, target, scratch=scratch)
        report = _apply(services, made, rehearsal=not without_rehearsal, target=target)
    migrate_show.report(report, json, schema)


def _apply(
    services: Services, made: MigrationPlan, *, rehearsal: bool, target: str | None
) -> MigrationReport:
    meta, before = services.store.meta, services.store.meta().seq
    with show.counting("migrating", made.planned, lambda: meta().seq - before):
        return services.apply_migration(made, rehearsal=rehearsal, target=target)


def schema_of(store: str | None) -> SchemaState:
    """Of which schema a store is; needs no open one."""
    from memtend.serving.upgrading import schema_state  # noqa: PLC0415

    return schema_state(url_of(store))


def url_of(store: str | None) -> str:
    from memtend.settings import Settings  # noqa: PLC0415

    return store or Settings().store_url


def _schema_plan(store: str | None) -> SchemaPlan:
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.serving.upgrading import plan_schema  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    return plan_schema(url_of(store), Settings(), SystemClock())


def _apply_schema(store: str | None, *, rehearsal: bool) -> SchemaReport | None:
    """None where there is nothing to do."""
    from memtend.clock import SystemClock  # noqa: PLC0415
    from memtend.serving.upgrading import apply_schema, plan_schema  # noqa: PLC0415
    from memtend.settings import Settings  # noqa: PLC0415

    if not schema_of(store).pending:
        return None
    settings, clock = Settings(), SystemClock()
    with show.waiting("moving the store to a newer schema"):
        made = plan_schema(url_of(store), settings, clock)
        return apply_schema(made, settings, clock, rehearsal=rehearsal, url=url_of(store))
