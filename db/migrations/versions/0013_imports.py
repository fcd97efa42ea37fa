"""Imports of files, as far as they have come."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("policy", sa.String(32), nullable=False),
        sa.Column("existing", sa.String(32), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("counts", document, nullable=False),
        sa.Column("error", text(2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", text(64), nullable=False),
        sa.Column("worker", text(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_imports_organization_id")),
    )
    op.create_index(op.f("ix_imports_organization"), "imports", ["organization_id", "id"])
    op.create_index(op.f("ix_imports_digest"), "imports", ["digest"])


def downgrade() -> None:
    op.drop_table("imports")
