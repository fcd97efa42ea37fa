"""What calendars have shown, so that they can cancel what was removed."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("calendars", sa.Column("shown", document, server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("calendars", "shown")
