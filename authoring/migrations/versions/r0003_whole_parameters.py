"""The whole parameters of every calibrated item, not only a and the mean of its difficulties.

An item of Rasch, 1PL or 2PL is carried over: a and b are all it has. Of another model a, b alone make no curve: c, d,
the thresholds and the slopes of categories were never kept, so those rows stay without parameters, and whoever asks for
them is told to calibrate again.
"""

from math import isfinite
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = ("Rasch", "1PL", "2PL")
STATISTICS = sa.table(
    "item_statistics",
    *map(sa.column, ("calibration_id", "version_id", "n", "model", "a", "b", "se_a", "se_b")),
    sa.column("parameters", sa.JSON()),
)
VERSION = sa.table("item_version", *map(sa.column, ("id", "item_id")))
ITEM = sa.table("item", *map(sa.column, ("id", "code")))


def upgrade() -> None:
    op.add_column("item_statistics", sa.Column("parameters", sa.JSON(), nullable=True))
    connection = op.get_bind()
    query = (
        sa.select(ITEM.c.code, *(column for column in STATISTICS.c if column.name != "parameters"))
        .join_from(STATISTICS, VERSION, VERSION.c.id == STATISTICS.c.version_id)
        .join(ITEM, ITEM.c.id == VERSION.c.item_id)
        .where(STATISTICS.c.model.in_(WHOLE), STATISTICS.c.a.is_not(None), STATISTICS.c.b.is_not(None))
    )
    carried = [
        {"in_calibration": row.calibration_id, "of_version": row.version_id, "document": _document(row)}
        for row in connection.execute(query)
        if isfinite(row.a) and isfinite(row.b)
    ]
    if carried:
        same = (STATISTICS.c.calibration_id == sa.bindparam("in_calibration")) & (
            STATISTICS.c.version_id == sa.bindparam("of_version")
        )
        connection.execute(sa.update(STATISTICS).where(same).values(parameters=sa.bindparam("document")), carried)


def downgrade() -> None:
    op.drop_column("item_statistics", "parameters")  # in place: made anew, the table would lose its CHECK on SQLite


def _document(row: Any) -> dict[str, Any]:  # noqa: ANN401  # a row of the query above
    errors = {"a": row.se_a, "b": row.se_b}
    return {
        "id": row.code,
        "model": row.model,
        "a": row.a,
        "b": row.b,
        "c": 0.0,
        "d": 1.0,
        "se": {name: error for name, error in errors.items() if error is not None and isfinite(error)},
        "n": float(row.n),
    }
