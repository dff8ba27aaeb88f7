"""Alembic's entry: always online, on the connection that `authoring.migrations.running` opened."""

from typing import Literal

from alembic import context

from authoring.columns import Hundredths, UtcDateTime
from authoring.tables import metadata


def plain_type(kind: str, thing: object, _context: object) -> str | Literal[False]:
    """Our column types as what they store: a migration must not change when the code does."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, Hundredths):
        return "sa.Integer()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    transactional_ddl=True,  # BEGIN is ours on SQLite too, so a failed step leaves nothing behind
    compare_type=True,
    render_item=plain_type,
)
with context.begin_transaction():
    context.run_migrations()
