"""Items of every kind, not only the three choice types.

Only the CHECK on `item_type` changes. SQLite would have to make `item`, to which five tables refer, anew for that; it
documents this instead (ALTER TABLE, "Making Other Kinds Of Table Schema Changes"): a CHECK that does not concern what
is on disk is rewritten in the schema table, and the schema's version raised so that every connection reads it again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FORMER = ("true_false", "single", "multiple")
KINDS = (
    *FORMER,
    "choice",
    "order",
    "associate",
    "match",
    "gap_match",
    "inline_choice",
    "text_entry",
    "extended_text",
    "hottext",
    "hotspot",
    "graphic_order",
    "graphic_associate",
    "graphic_gap_match",
    "select_point",
    "position_object",
    "slider",
    "media",
    "drawing",
    "upload",
    "end_attempt",
    "custom",
    "portable_custom",
    "composite",
    "skill_task",
    "information",
)
TABLES = ("item", "paper_item")


def upgrade() -> None:
    _allow(FORMER, KINDS)


def downgrade() -> None:
    _allow(KINDS, FORMER)


def _allow(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for table in TABLES:
            name = op.f(f"ck_{table}_item_type")
            op.drop_constraint(name, table, type_="check")
            op.create_check_constraint(name, table, sa.column("item_type").in_(after))
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    for table in TABLES:
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (f"item_type IN ({_quoted(before)})", f"item_type IN ({_quoted(after)})", table),
        )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _quoted(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)
