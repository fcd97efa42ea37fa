"""GraphQL documents that are run by their ids, and GraphQL limits of single keys."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "trusted_documents",
        sa.Column("digest", text(64), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("text", text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_trusted_documents")),
    )
    op.add_column("api_keys", sa.Column("graphql_limits", document, nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "graphql_limits")
    op.drop_table("trusted_documents")
