"""Alembic's entry point: migrate the connection that the caller opened."""

from __future__ import annotations

from alembic import context

from memtend.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
