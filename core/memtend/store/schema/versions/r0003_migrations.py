"""The history of migrations."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "migration",
        _column("run", TEXT),
        _column("what", TEXT),
        _column("family", TEXT),
        _column("found", TEXT),
        _column("wanted", TEXT),
        _column("plan", TEXT),
        _column("manifest", TEXT),
        _column("state", TEXT),
        _column("facts", TEXT),
        _column("began_ms", INT),
        _column("ended_ms", INT, null=True),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("run", name="pk_migration"),
    )


def downgrade() -> None:
    op.drop_table("migration")
