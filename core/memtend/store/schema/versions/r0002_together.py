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
    op.create_table(
        "lease_grant",
        _column("resource", TEXT),
        _column("n", INT),
        _column("epoch", INT),
        _column("holder", TEXT),
        _column("mode", TEXT),
        _column("expires_ms", INT),
        _column("request", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("resource", "n", name="pk_lease_grant"),
    )
    op.create_table(
        "lease_ticket",
        _column("id", TEXT),
        _column("number", INT),
        _column("resource", TEXT),
        _column("mode", TEXT),
        _column("holder", TEXT),
        _column("until_ms", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("id", name="pk_lease_ticket"),
    )
    op.create_index("ix_lease_ticket_resource", "lease_ticket", ["resource"])
    op.create_table(
        "lease_accepted",
        _column("resource", TEXT),
        _column("epoch", INT),
        _column("n", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("resource", name="pk_lease_accepted"),
    )
    op.create_table(
        "message",
        _column("no", INT),
        _column("id", TEXT),
        _column("sender", TEXT),
        _column("recipient", TEXT),
        _column("topic", TEXT),
        _column("reply_to", TEXT),
        _column("sent_ms", INT),
        _column("expires_ms", INT),
        _column("hlc", INT),
        _column("tries_max", INT),
        _column("size", INT),
        _column("sum", INT),
        _column("crc", INT),
        _column("pending", INT),
        _column("receipt", TEXT),
        _column("body", BLOB),
        sa.PrimaryKeyConstraint("no", name="pk_message"),
    )
    op.create_index("ux_message_id", "message", ["id"], unique=True)
    op.create_index("ix_message_expires", "message", ["expires_ms"])
    op.create_table(
        "delivery",
        _column("inbox", TEXT),
        _column("dead", INT),
        _column("sender", TEXT),
        _column("no", INT),
        _column("topic", TEXT),
        _column("size", INT),
        _column("hlc", INT),
        _column("expires_ms", INT),
        _column("visible_ms", INT),
        _column("tries", INT),
        _column("receipt", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("inbox", "dead", "sender", "no", name="pk_delivery"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_delivery_no", "delivery", ["no"])
    op.create_index(
        "ix_delivery_topic",
        "delivery",
        ["inbox", "topic", "sender", "no"],
        sqlite_where=sa.text("topic != ''"),
        postgresql_where=sa.text("topic != ''"),
    )
    op.create_table(
        "lane",
        _column("inbox", TEXT),
        _column("sender", TEXT),
        _column("due_ms", INT),
        _column("no", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("inbox", "sender", name="pk_lane"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lane_due", "lane", ["inbox", "due_ms"])
    op.create_table(
        "inbox",
        _column("name", TEXT),
        _column("waiting", INT),
        _column("size", INT),
        _column("dead", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("name", name="pk_inbox"),
    )
    op.create_table(
        "member",
        _column("swarm", TEXT),
        _column("agent", TEXT),
        _column("hlc", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("swarm", "agent", name="pk_member"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("member", "inbox", "lane", "delivery", "message"):
        op.drop_table(table)
    op.drop_table("lease_accepted")
    op.drop_table("lease_ticket")
    op.drop_table("lease_grant")
    op.drop_table("peer")
