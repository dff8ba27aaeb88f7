"""The history of the tables: one file a step in `versions/`, run by `tiku db upgrade`."""

HEAD = "0003"  # kept here so that opening a bank need not import alembic; a test holds it to the last file

# Triggers that keep history as it was written. A batch migration on SQLite makes its table anew and drops them:
# a migration that touches one of these tables must create them again; `tiku db check` misses them by name.
GUARDS = frozenset(
    {
        "item_version_no_update",
        "item_version_no_delete",
        "audit_event_no_rewrite",
        "audit_event_no_delete",
        "release_item_no_update",
        "release_item_no_delete",
    }
)

__all__ = ["GUARDS", "HEAD"]
