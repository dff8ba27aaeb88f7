"""Alembic's entry: always online, on the connection that `authoring.migrations.running` opened."""

from alembic import context

from authoring.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    transactional_ddl=True,  # BEGIN is ours on SQLite too, so a failed step leaves nothing behind
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
