"""The bank: every table of its first version.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "audit_event",
    "audit_head",
    "person",
    "standard",
    "access_token",
    "calibration",
    "outline",
    "paper",
    "person_role",
    "release",
    "sitting",
    "area",
    "calibration_sitting",
    "token_right",
    "point",
    "item",
    "item_enemy",
    "item_version",
    "item_statistics",
    "paper_item",
    "release_item",
    "review",
)

# the sequencer may give an event its place, once, and nothing else
REWRITTEN = (
    "OLD.seq IS NOT NULL OR (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.subject_kind, OLD.subject, OLD.detail)"
    " <> (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.subject_kind, NEW.subject, NEW.detail)"
)
# history stays as it was written: (trigger, table, event, condition under which it refuses)
GUARDS = (
    ("item_version_no_update", "item_version", "UPDATE", "TRUE"),
    ("item_version_no_delete", "item_version", "DELETE", "TRUE"),
    ("release_item_no_update", "release_item", "UPDATE", "TRUE"),
    ("release_item_no_delete", "release_item", "DELETE", "TRUE"),
    ("audit_event_no_rewrite", "audit_event", "UPDATE", REWRITTEN),
    ("audit_event_no_delete", "audit_event", "DELETE", "TRUE"),
)


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject", _code(128), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("prev_hash", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_event_seq")),
    )
    op.create_index(op.f("ix_audit_event_subject"), "audit_event", ["subject"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "person",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", _code(32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("code", name=op.f("uq_person_code")),
    )
    op.create_table(
        "standard",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("occupation_code", _code(32), nullable=False),
        sa.Column("direction", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.String(length=32), nullable=False),
        sa.Column(
            "level",
            _text_enum("level", "apprentice", "L5", "L4", "L3", "L2", "L1", "special", "chief"),
            nullable=False,
        ),
        sa.Column("occupation", sa.String(length=128), nullable=False),
        sa.Column("track", _text_enum("track", "qualification", "skill_level", "special_ability"), nullable=False),
        sa.Column(
            "source",
            _text_enum("standard_source", "national_standard", "filed_norm", "special_ability_norm", "enterprise_norm"),
            nullable=False,
        ),
        sa.Column("filing_no", sa.String(length=64), nullable=True),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standard")),
        sa.UniqueConstraint(
            "occupation_code",
            "direction",
            "edition",
            "level",
            name=op.f("uq_standard_occupation_code_direction_edition_level"),
        ),
    )
    op.create_table(
        "access_token",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_access_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_access_token_digest")),
    )
    op.create_index(op.f("ix_access_token_person_id"), "access_token", ["person_id"], unique=False)
    op.create_table(
        "calibration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=32), nullable=False),
        sa.Column("scale", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("log_likelihood", sa.Float(), nullable=False),
        sa.Column("converged", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_calibration_created_by_id_person")),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_calibration_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
    )
    op.create_index(op.f("ix_calibration_standard_id"), "calibration", ["standard_id"], unique=False)
    op.create_table(
        "outline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("component", _text_enum("component", "theory", "skill"), nullable=False),
        sa.Column("provenance", sa.Text(), nullable=False),
        sa.Column("weights_provenance", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_outline_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outline")),
        sa.UniqueConstraint("standard_id", "component", name=op.f("uq_outline_standard_id_component")),
    )
    op.create_table(
        "paper",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", _code(64), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=256), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("total_marks", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("blueprint_digest", sa.String(length=64), nullable=False),
        sa.Column("blueprint", sa.Text(), nullable=False),
        sa.Column("state", _text_enum("paper_state", "draft", "approved", "withdrawn"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_paper_minutes_above_0")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_paper_created_by_id_person")),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_paper_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("code", name=op.f("uq_paper_code")),
    )
    op.create_index(op.f("ix_paper_standard_id"), "paper", ["standard_id"], unique=False)
    op.create_table(
        "person_role",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column(
            "role",
            _text_enum("role", "author", "reviewer", "approver", "psychometrician", "organizer", "administrator"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_role_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_role")),
    )
    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("readiness", sa.Text(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("share > 0 AND share <= 1", name=op.f("ck_release_share_above_0_to_1")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_release_created_by_id_person")),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_release_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    op.create_index(op.f("ix_release_standard_id"), "release", ["standard_id"], unique=False)
    op.create_table(
        "sitting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", _code(64), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("population", sa.Text(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("candidates > 0", name=op.f("ck_sitting_candidates_above_0")),
        sa.ForeignKeyConstraint(["created_by_id"], ["person.id"], name=op.f("fk_sitting_created_by_id_person")),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_sitting_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sitting")),
        sa.UniqueConstraint("code", name=op.f("uq_sitting_code")),
    )
    op.create_index(op.f("ix_sitting_standard_id"), "sitting", ["standard_id"], unique=False)
    op.create_table(
        "area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outline_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("code", _code(32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=True),
        sa.Column("weight_row", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["outline_id"], ["outline.id"], name=op.f("fk_area_outline_id_outline")),
        sa.ForeignKeyConstraint(["parent_id"], ["area.id"], name=op.f("fk_area_parent_id_area")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
        sa.UniqueConstraint("outline_id", "code", name=op.f("uq_area_outline_id_code")),
    )
    op.create_table(
        "calibration_sitting",
        sa.Column("calibration_id", sa.Integer(), nullable=False),
        sa.Column("sitting_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calibration_id"],
            ["calibration.id"],
            name=op.f("fk_calibration_sitting_calibration_id_calibration"),
        ),
        sa.ForeignKeyConstraint(["sitting_id"], ["sitting.id"], name=op.f("fk_calibration_sitting_sitting_id_sitting")),
        sa.PrimaryKeyConstraint("calibration_id", "sitting_id", name=op.f("pk_calibration_sitting")),
    )
    op.create_table(
        "token_right",
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column(
            "access_right",
            _text_enum(
                "right", "items:read", "items:write", "items:keys", "standards:read", "standards:write", "audit:read"
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["token_id"], ["access_token.id"], name=op.f("fk_token_right_token_id_access_token")),
        sa.PrimaryKeyConstraint("token_id", "access_right", name=op.f("pk_token_right")),
    )
    op.create_table(
        "point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outline_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("code", _code(32), nullable=False),
        sa.Column("source_code", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("importance", _text_enum("importance", "X", "Y", "Z"), nullable=True),
        sa.Column("importance_provenance", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "importance IS NULL OR importance_provenance IS NOT NULL",
            name=op.f("ck_point_importance_has_provenance"),
        ),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_point_area_id_area")),
        sa.ForeignKeyConstraint(["outline_id"], ["outline.id"], name=op.f("fk_point_outline_id_outline")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point")),
        sa.UniqueConstraint("outline_id", "code", name=op.f("uq_point_outline_id_code")),
    )
    op.create_index(op.f("ix_point_area_id"), "point", ["area_id"], unique=False)
    op.create_table(
        "item",
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", _code(64), nullable=False),
        sa.Column("standard_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("item_type", _text_enum("item_type", "true_false", "single", "multiple"), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("congruence", sa.Integer(), nullable=True),
        sa.Column("marks", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            _text_enum(
                "item_state", "draft", "in_review", "in_approval", "pretest", "accepted", "published", "withdrawn"
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("accepted_number", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("accepted_number <= number", name=op.f("ck_item_accepted_version_exists")),
        sa.CheckConstraint("congruence BETWEEN 1 AND 5", name=op.f("ck_item_congruence_1_to_5")),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_item_grade_1_to_5")),
        sa.CheckConstraint("marks > 0", name=op.f("ck_item_marks_above_0")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_item_owner_id_person")),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name=op.f("fk_item_point_id_point")),
        sa.ForeignKeyConstraint(["standard_id"], ["standard.id"], name=op.f("fk_item_standard_id_standard")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("code", name=op.f("uq_item_code")),
    )
    op.create_index(op.f("ix_item_point_id"), "item", ["point_id"], unique=False)
    op.create_index(op.f("ix_item_standard_id_code"), "item", ["standard_id", "code"], unique=False)
    op.create_table(
        "item_enemy",
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_item_enemy_ordered_pair")),
        sa.ForeignKeyConstraint(["first_id"], ["item.id"], name=op.f("fk_item_enemy_first_id_item")),
        sa.ForeignKeyConstraint(["second_id"], ["item.id"], name=op.f("fk_item_enemy_second_id_item")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_item_enemy")),
    )
    op.create_index(op.f("ix_item_enemy_second_id"), "item_enemy", ["second_id"], unique=False)
    op.create_table(
        "item_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("folded_stem", sa.Text(), nullable=False),
        sa.Column("folded_options", sa.Text(), nullable=False),
        sa.Column("text_digest", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_item_version_number_from_1")),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_item_version_author_id_person")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_version_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
        sa.UniqueConstraint("item_id", "number", name=op.f("uq_item_version_item_id_number")),
    )
    op.create_index(op.f("ix_item_version_text_digest"), "item_version", ["text_digest"], unique=False)
    op.create_table(
        "item_statistics",
        sa.Column("calibration_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p_value", sa.Float(), nullable=True),
        sa.Column("point_biserial", sa.Float(), nullable=True),
        sa.Column("model", sa.String(length=32), nullable=True),
        sa.Column("a", sa.Float(), nullable=True),
        sa.Column("b", sa.Float(), nullable=True),
        sa.Column("se_a", sa.Float(), nullable=True),
        sa.Column("se_b", sa.Float(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.CheckConstraint("n >= 0", name=op.f("ck_item_statistics_n_from_0")),
        sa.ForeignKeyConstraint(
            ["calibration_id"],
            ["calibration.id"],
            name=op.f("fk_item_statistics_calibration_id_calibration"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["item_version.id"],
            name=op.f("fk_item_statistics_version_id_item_version"),
        ),
        sa.PrimaryKeyConstraint("calibration_id", "version_id", name=op.f("pk_item_statistics")),
    )
    op.create_index(op.f("ix_item_statistics_version_id"), "item_statistics", ["version_id"], unique=False)
    op.create_table(
        "paper_item",
        sa.Column("paper_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=128), nullable=False),
        sa.Column("item_type", _text_enum("item_type", "true_false", "single", "multiple"), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_paper_item_position_from_1")),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.id"], name=op.f("fk_paper_item_paper_id_paper")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["item_version.id"], name=op.f("fk_paper_item_version_id_item_version")
        ),
        sa.PrimaryKeyConstraint("paper_id", "position", name=op.f("pk_paper_item")),
        sa.UniqueConstraint("paper_id", "version_id", name=op.f("uq_paper_item_paper_id_version_id")),
    )
    op.create_index(op.f("ix_paper_item_version_id"), "paper_item", ["version_id"], unique=False)
    op.create_table(
        "release_item",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_release_item_release_id_release")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["item_version.id"],
            name=op.f("fk_release_item_version_id_item_version"),
        ),
        sa.PrimaryKeyConstraint("release_id", "version_id", name=op.f("pk_release_item")),
        sa.UniqueConstraint("version_id", name=op.f("uq_release_item_version_id")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("stage", _text_enum("stage", "review", "approve"), nullable=False),
        sa.Column("answer", sa.String(length=64), nullable=True),
        sa.Column("answer_matches", sa.Boolean(), nullable=True),
        sa.Column("verdict", _text_enum("verdict", "accept", "return"), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stage = 'approve' OR answer IS NOT NULL", name=op.f("ck_review_review_is_blind")),
        sa.CheckConstraint(
            "verdict = 'return' OR stage = 'approve' OR answer_matches IS TRUE",
            name=op.f("ck_review_mismatch_forces_return"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_review_person_id_person")),
        sa.ForeignKeyConstraint(["version_id"], ["item_version.id"], name=op.f("fk_review_version_id_item_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_person_id"), "review", ["person_id"], unique=False)
    op.create_index(op.f("ix_review_version_id"), "review", ["version_id"], unique=False)
    head = sa.table("audit_head", sa.column("id"), sa.column("seq"), sa.column("hash"))
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION tiku_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is history: it cannot be changed', TG_TABLE_NAME; END $$"
        )
    for trigger, table, event, condition in GUARDS:
        op.execute(_guard(trigger, table, event, condition))


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tiku_refuse()")


def _guard(trigger: str, table: str, event: str, condition: str) -> str:
    start = f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition})"
    if op.get_bind().dialect.name == "postgresql":
        return f"{start} EXECUTE FUNCTION tiku_refuse()"
    return f"{start} BEGIN SELECT RAISE(ABORT, '{table} is history: it cannot be changed'); END"


def _code(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _text_enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
