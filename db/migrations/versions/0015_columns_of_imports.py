"""What the columns of a file were taken for, so that the next file with the same heads is put in alike."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("columns", document, nullable=False, server_default="{}"))
    op.add_column("imports", sa.Column("map", document, nullable=False, server_default="{}"))
    op.add_column("imports", sa.Column("map_of", text(22), nullable=True))
    op.add_column("imports", sa.Column("headings", text(64), nullable=False, server_default=""))
    op.create_index(op.f("ix_imports_headings"), "imports", ["organization_id", "headings", "id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_imports_headings"), table_name="imports")
    for name in ("headings", "map_of", "map", "columns"):
        op.drop_column("imports", name)
