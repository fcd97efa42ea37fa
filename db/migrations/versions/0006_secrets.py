"""The secret that seals cursors."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text(length: int) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    table = op.create_table(
        "secrets",
        sa.Column("name", _text(32), nullable=False),
        sa.Column("value", _text(128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.bulk_insert(table, [{"name": "cursors", "value": secrets.token_hex(32)}])


def downgrade() -> None:
    op.drop_table("secrets")
