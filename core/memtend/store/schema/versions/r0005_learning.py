"""A sample of accesses, learned models, trials of times to live."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def _table(name: str, keys: int, *columns: sa.Column[Any], rowid: bool = True) -> None:
    """The first `keys` columns are its primary key."""
    primary = sa.PrimaryKeyConstraint(*(c.name for c in columns[:keys]), name=f"pk_{name}")
    options = {} if rowid else {"sqlite_with_rowid": False}
    op.create_table(name, *columns, primary, **options)


def upgrade() -> None:
    _table(
        "access_log", 4, _column("digest", INT), _column("ns", INT), _column("at_ms", INT),
        _column("what", INT), _column("size", INT), _column("halvings", INT), _column("crc", INT),
        rowid=False,
    )  # fmt: skip
    _table(
        "model", 1, _column("id", TEXT), _column("scenario", TEXT), _column("kind", TEXT),
        _column("status", TEXT), _column("made_ms", INT), _column("promoted_ms", INT, null=True),
        _column("parent", TEXT, null=True), _column("program", TEXT), _column("seed", INT),
        _column("rows", INT), _column("first_ms", INT, null=True),
        _column("last_ms", INT, null=True), _column("files", TEXT), _column("why", TEXT),
        _column("facts", TEXT), _column("crc", INT),
    )  # fmt: skip
    _table(
        "trial", 1, _column("id", TEXT), _column("namespace", TEXT), _column("state", TEXT),
        _column("facts", TEXT), _column("began_ms", INT), _column("ended_ms", INT, null=True),
        _column("crc", INT),
    )  # fmt: skip


def downgrade() -> None:
    for name in ("trial", "model", "access_log"):
        op.drop_table(name)
