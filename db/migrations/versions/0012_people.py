"""Browsers that stand for a membership, and invitations to become a member."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from domain.short_id import new_short_id

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _may_stand_for_a_membership(name: str) -> None:
    with op.batch_alter_table(name) as batch:
        batch.alter_column("api_key_id", existing_type=_text(22), nullable=True)
        batch.add_column(sa.Column("user_id", _text(22), nullable=True))
        batch.add_column(sa.Column("organization_id", _text(22), nullable=True))
        batch.create_foreign_key(
            op.f(f"fk_{name}_user_id_organization_id"),
            "memberships",
            ["user_id", "organization_id"],
            ["user_id", "organization_id"],
            ondelete="CASCADE",
        )
        batch.create_index(op.f(f"ix_{name}_organization_id"), ["organization_id", "user_id"])


def _stands_for_a_key(name: str) -> None:
    op.execute(f"DELETE FROM {name} WHERE api_key_id IS NULL")  # noqa: S608 - a name of ours
    with op.batch_alter_table(name) as batch:
        batch.drop_index(op.f(f"ix_{name}_organization_id"))
        batch.drop_constraint(op.f(f"fk_{name}_user_id_organization_id"), type_="foreignkey")
        batch.drop_column("user_id")
        batch.drop_column("organization_id")
        batch.alter_column("api_key_id", existing_type=_text(22), nullable=False)


def _give_ids() -> None:
    """Gives each session an id by which it can be named; they are few."""
    op.add_column("sessions", sa.Column("id", _text(22), nullable=True))
    connection = op.get_bind()
    for digest in connection.scalars(sa.text("SELECT digest FROM sessions")).all():
        connection.execute(
            sa.text("UPDATE sessions SET id = :id WHERE digest = :digest"),
            {"id": new_short_id(datetime.now(UTC)), "digest": digest},
        )
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("id", existing_type=_text(22), nullable=False)
        batch.create_unique_constraint(op.f("uq_sessions_id"), ["id"])


def upgrade() -> None:
    _give_ids()
    _may_stand_for_a_membership("sessions")
    _may_stand_for_a_membership("sign_in_links")
    op.create_table(
        "invitations",
        sa.Column("id", _text(22), nullable=False),
        sa.Column("organization_id", _text(22), nullable=False),
        sa.Column("email", _text(254), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("digest", _text(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_invitations_organization_id")),
    )
    op.create_index(op.f("uq_invitations_email"), "invitations", ["email", "organization_id"], unique=True)
    op.create_index(op.f("ix_invitations_organization_id"), "invitations", ["organization_id"])


def downgrade() -> None:
    op.drop_table("invitations")
    _stands_for_a_key("sign_in_links")
    _stands_for_a_key("sessions")
    with op.batch_alter_table("sessions") as batch:
        batch.drop_constraint(op.f("uq_sessions_id"), type_="unique")
        batch.drop_column("id")
