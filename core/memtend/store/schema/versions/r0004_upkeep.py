"""What was pruned and missed since, how the store has been doing, alerts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float().with_variant(sa.Double(), "postgresql")


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def _table(name: str, keys: int, *columns: sa.Column[Any], rowid: bool = True) -> None:
    """The first `keys` columns are its primary key."""
    primary = sa.PrimaryKeyConstraint(*(c.name for c in columns[:keys]), name=f"pk_{name}")
    options = {} if rowid else {"sqlite_with_rowid": False}
    op.create_table(name, *columns, primary, **options)


def upgrade() -> None:
    _table(
        "ghost", 2, _column("namespace", TEXT), _column("digest", INT), _column("rule", TEXT),
        _column("plan", TEXT), _column("at_ms", INT), _column("reads", INT),
        _column("read_ms", INT, null=True), _column("crc", INT), rowid=False,
    )  # fmt: skip
    _table(
        "regret", 2, _column("rule", TEXT), _column("namespace", TEXT), _column("pruned", INT),
        _column("missed", INT), _column("reads", INT), _column("crc", INT), rowid=False,
    )  # fmt: skip
    _table(
        "pruning", 1, _column("plan", TEXT), _column("at_ms", INT), _column("records", INT),
        _column("size", INT), _column("archive_run", INT), _column("undone_ms", INT, null=True),
        _column("facts", TEXT), _column("crc", INT),
    )  # fmt: skip
    _table(
        "metric", 2, _column("series", TEXT), _column("at_ms", INT), _column("value", REAL),
        _column("crc", INT), rowid=False,
    )  # fmt: skip
    _table(
        "latency", 4, _column("hour", INT), _column("op", TEXT), _column("tier", TEXT),
        _column("bucket", INT), _column("count", INT), rowid=False,
    )  # fmt: skip
    _table(
        "alert", 1, _column("id", TEXT), _column("rule", TEXT), _column("scope", TEXT),
        _column("level", TEXT), _column("state", TEXT), _column("facts", TEXT),
        _column("first_ms", INT), _column("last_ms", INT), _column("ended_ms", INT, null=True),
        _column("crc", INT),
    )  # fmt: skip
    _table(
        "silence", 1, _column("id", TEXT), _column("pattern", TEXT), _column("until_ms", INT),
        _column("facts", TEXT), _column("crc", INT),
    )  # fmt: skip
    op.create_index(
        "ix_sibling_agent",
        "sibling",
        ["agent", "ns", "key"],
        sqlite_where=sa.text("agent IS NOT NULL"),
        postgresql_where=sa.text("agent IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_sibling_agent", "sibling")
    for name in ("silence", "alert", "latency", "metric", "pruning", "regret", "ghost"):
        op.drop_table(name)
