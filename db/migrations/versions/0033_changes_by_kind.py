"""Nothing looks for changes by their kind and moment alone, so no change pays for an index of it."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.drop_index(op.f("ix_changes_kind"), "changes")


def downgrade() -> None:
    op.create_index(op.f("ix_changes_kind"), "changes", ["kind", "at"])
