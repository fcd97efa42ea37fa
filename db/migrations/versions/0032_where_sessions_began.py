"""Of a browser session is known from where it began, so that people tell theirs from others."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("browser", text(255), server_default="", nullable=False))
    op.add_column("sessions", sa.Column("address", text(50), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("sessions", "address")
    op.drop_column("sessions", "browser")
