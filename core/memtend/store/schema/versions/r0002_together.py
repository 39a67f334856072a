"""What agents and replicas do together."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary()


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "peer",
        _column("id", TEXT),
        _column("name", TEXT),
        _column("url", TEXT),
        _column("seen", BLOB),
        _column("at_seq", INT),
        _column("at_vv", BLOB),
        _column("heard_ms", INT),
        _column("met_ms", INT),
        _column("retired_ms", INT, null=True),
        _column("accept", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("id", name="pk_peer"),
    )


def downgrade() -> None:
    op.drop_table("peer")
