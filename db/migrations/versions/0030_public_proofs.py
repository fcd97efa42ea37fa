"""Whether anybody is shown what the products of an organisation hold."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "public_proofs",
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_public_proofs")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_public_proofs_organization_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("public_proofs")
