"""Users and their memberships, which csu keys follow; when a session was last used."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", text(22), nullable=False),
        sa.Column("email", text(254), nullable=False),
        sa.Column("metadata", document, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_memberships_organization_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "organization_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_organization_id"), "memberships", ["organization_id"], unique=False)

    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("user_id", text(22), nullable=True))
        batch.create_foreign_key(op.f("fk_api_keys_user_id"), "users", ["user_id"], ["id"], ondelete="CASCADE")
        batch.create_index(op.f("ix_api_keys_user_id"), ["user_id"], unique=False)
    # Nobody knows whose the keys of this kind were.
    op.execute("UPDATE api_keys SET is_active = false WHERE kind = 'csu'")

    op.add_column("sessions", sa.Column("last_used", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "last_used")
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_index(op.f("ix_api_keys_user_id"))
        batch.drop_constraint(op.f("fk_api_keys_user_id"), type_="foreignkey")
        batch.drop_column("user_id")
    op.drop_index(op.f("ix_memberships_organization_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_table("users")
