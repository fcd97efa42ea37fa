"""Managers find what became of keys, members, views and definitions by an index that what products have is not in."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    told = ("product", "certification_assignment", "claim_assignment")
    apart = sa.text(" AND ".join(f"kind != '{kind}'" for kind in told))
    columns = ["organization_id", "kind", "at", "seq"]
    op.create_index(op.f("ix_changes_apart"), "changes", columns, sqlite_where=apart, postgresql_where=apart)


def downgrade() -> None:
    op.drop_index(op.f("ix_changes_apart"), "changes")
