"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Frozen here on purpose: a revision must not change when the models do.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary()


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "access",
        _column("ns", INT),
        _column("key", TEXT),
        _column("count", INT),
        _column("at_ms", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("ns", "key", name="pk_access"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "access_grant",
        _column("agent", TEXT),
        _column("pattern", TEXT),
        _column("right", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("agent", "pattern", "right", name="pk_access_grant"),
    )
    op.create_table(
        "audit",
        _column("n", INT),
        _column("at_ms", INT),
        _column("action", TEXT),
        _column("actor", TEXT),
        _column("detail", TEXT),
        _column("seal", BLOB),
        sa.PrimaryKeyConstraint("n", name="pk_audit"),
    )
    op.create_table(
        "catalog",
        _column("manifest", TEXT),
        _column("url", TEXT),
        _column("at_ms", INT),
        _column("seq", INT),
        _column("rows", INT),
        _column("size", INT),
        _column("root", TEXT),
        _column("verified_ms", INT, null=True),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("manifest", name="pk_catalog"),
    )
    op.create_table(
        "dictionary",
        _column("id", INT),
        _column("kind", TEXT),
        _column("data", BLOB),
        _column("made_ms", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("id", name="pk_dictionary"),
    )
    op.create_table(
        "erasure",
        _column("kind", TEXT),
        _column("digest", BLOB),
        _column("at_hlc", INT),
        _column("seq", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("kind", "digest", name="pk_erasure"),
    )
    op.create_table(
        "lease",
        _column("resource", TEXT),
        _column("n", INT),
        _column("guard", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("resource", name="pk_lease"),
    )
    op.create_table(
        "log",
        _column("ns", INT),
        _column("key", TEXT),
        _column("field", TEXT),
        _column("r", INT),
        _column("n", INT),
        _column("seq", INT),
        _column("at_ms", INT),
        _column("why", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("ns", "key", "field", "r", name="pk_log"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meta",
        _column("id", INT),
        _column("store_id", TEXT),
        _column("replica_no", INT),
        _column("epoch", INT),
        _column("lease_epoch", INT),
        _column("hlc", INT),
        _column("seq", INT),
        _column("n", INT),
        _column("rows", INT),
        _column("size", INT),
        _column("sum", BLOB),
        _column("audit_n", INT),
        _column("audit_head", BLOB),
        _column("config", INT),
        _column("created_ms", INT),
        _column("file_id", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("id", name="pk_meta"),
    )
    op.create_table(
        "namespace",
        _column("id", INT),
        _column("path", TEXT),
        _column("contested", INT),
        sa.PrimaryKeyConstraint("id", name="pk_namespace"),
    )
    op.create_table(
        "op",
        _column("op_id", TEXT),
        _column("at_ms", INT),
        _column("result", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("op_id", name="pk_op"),
    )
    op.create_table(
        "replica",
        _column("no", INT),
        _column("id", TEXT),
        _column("seen", INT),
        _column("floor", INT),
        _column("created_ms", INT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("no", name="pk_replica"),
    )
    op.create_table(
        "setting",
        _column("name", TEXT),
        _column("value", TEXT),
        _column("crc", INT),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "sibling",
        _column("seq", INT),
        _column("ns", INT),
        _column("key", TEXT),
        _column("field", TEXT),
        _column("r", INT),
        _column("n", INT),
        _column("exp", INT, null=True),
        _column("flags", INT),
        _column("kind", TEXT),
        _column("agent", TEXT, null=True),
        _column("writer", TEXT, null=True),
        _column("content", INT),
        _column("size", INT),
        _column("body", BLOB),
        _column("value", BLOB),
        _column("hash", BLOB),
        sa.PrimaryKeyConstraint("seq", name="pk_sibling"),
    )
    op.create_table(
        "tag",
        _column("tag", TEXT),
        _column("seq", INT),
        sa.PrimaryKeyConstraint("tag", "seq", name="pk_tag"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally",
        _column("scope", TEXT),
        _column("name", TEXT),
        _column("rows", INT),
        _column("size", INT),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_tally"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_log_seq", "log", ["seq"])
    op.create_index("ux_namespace_path", "namespace", ["path"], unique=True)
    op.create_index("ix_op_at", "op", ["at_ms"])
    op.create_index("ux_replica_id", "replica", ["id"], unique=True)
    op.create_index(
        "ix_sibling_exp",
        "sibling",
        ["exp"],
        sqlite_where=sa.text("exp IS NOT NULL"),
        postgresql_where=sa.text("exp IS NOT NULL"),
    )
    op.create_index("ux_sibling_path", "sibling", ["ns", "key", "field", "n", "r"], unique=True)


def downgrade() -> None:
    for table in (
        "tally",
        "tag",
        "sibling",
        "setting",
        "replica",
        "op",
        "namespace",
        "meta",
        "log",
        "lease",
        "erasure",
        "dictionary",
        "catalog",
        "audit",
        "access_grant",
        "access",
    ):
        op.drop_table(table)
