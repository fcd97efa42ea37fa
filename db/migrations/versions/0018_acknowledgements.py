"""Who has taken on that what a product holds or claims lapses."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for of in ("certification", "claim"):
        name, key = f"{of}_acknowledgements", ["gtin", f"{of}_id"]
        op.create_table(
            name,
            *(sa.Column(column, text(length), nullable=False) for column, length in zip(key, (14, 22), strict=True)),
            sa.Column("id", text(22), nullable=False),
            sa.Column("until", sa.Date(), nullable=False),
            sa.Column("reason", text(500), nullable=False),
            sa.Column("lapses_on", sa.Date(), nullable=False),
            sa.Column("user_id", text(22), nullable=True),
            sa.Column("api_key_id", text(22), nullable=True),
            sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
            sa.UniqueConstraint("id", name=op.f(f"uq_{name}_id")),
            sa.ForeignKeyConstraint(
                key,
                [f"{of}_assignments.{column}" for column in key],
                name=op.f(f"fk_{name}_gtin_{of}_id"),
                ondelete="CASCADE",
            ),
            sqlite_with_rowid=False,
        )
        op.create_index(op.f(f"ix_{name}_until"), name, ["until", *key])


def downgrade() -> None:
    for of in ("certification", "claim"):
        op.drop_table(f"{of}_acknowledgements")
