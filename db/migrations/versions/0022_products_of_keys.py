"""The product that a write under an idempotency key was about."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("idempotency_keys", sa.Column("gtin", text(14), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("idempotency_keys", "gtin")
