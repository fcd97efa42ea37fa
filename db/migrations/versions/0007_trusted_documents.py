"""GraphQL documents that are run by their ids, and GraphQL limits of single keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(length: int | None = None) -> TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "trusted_documents",
        sa.Column("digest", _text(64), nullable=False),
        sa.Column("name", _text(255), nullable=False),
        sa.Column("text", _text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_trusted_documents")),
    )
    document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("api_keys", sa.Column("graphql_limits", document, nullable=True))


def downgrade() -> None:
    op.drop_column("api_keys", "graphql_limits")
    op.drop_table("trusted_documents")
