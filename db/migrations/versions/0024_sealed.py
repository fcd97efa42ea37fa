"""The chain over the log of changes, and the key that signs how far it goes."""

import secrets

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0024"
down_revision = "0023"

_REFUSAL = "The chain over the log of changes is only added to: no row of it is changed or removed."


def upgrade() -> None:
    op.create_table(
        "sealed",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", text(22)),
        sa.Column("hash", text(44), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sealed")),
    )
    op.create_index(op.f("uq_sealed_seq"), "sealed", ["seq"], unique=True)
    op.create_index(op.f("ix_sealed_organization"), "sealed", ["organization_id", "position"])
    # A database that was restored from a later one may have it.
    op.execute(
        sa.text(
            "INSERT INTO secrets (name, value) SELECT 'log', :value"
            " WHERE NOT EXISTS (SELECT 1 FROM secrets WHERE name = 'log')"
        ).bindparams(value=secrets.token_hex(32))
    )
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER sealed_refuse_{event.lower()} BEFORE {event} ON sealed"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    # The key of the log has its transactions before it.
    op.create_index(op.f("ix_changes_seq"), "changes", ["seq"])
    op.execute(
        "CREATE TRIGGER sealed_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON sealed"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_log()"
    )


def downgrade() -> None:
    op.drop_table("sealed")
    op.execute("DELETE FROM secrets WHERE name = 'log'")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index(op.f("ix_changes_seq"), "changes")
