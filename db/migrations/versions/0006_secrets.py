"""The secret that seals cursors."""

import secrets

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    table = op.create_table(
        "secrets",
        sa.Column("name", text(32), nullable=False),
        sa.Column("value", text(128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.bulk_insert(table, [{"name": "cursors", "value": secrets.token_hex(32)}])


def downgrade() -> None:
    op.drop_table("secrets")
