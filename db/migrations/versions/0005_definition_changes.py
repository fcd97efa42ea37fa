"""A count of the changes of the definitions, which are held in memory."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TABLES = ("certification_bodies", "certifications", "claims")
_EVENTS = ("INSERT", "UPDATE", "DELETE")


def upgrade() -> None:
    counts = op.create_table(
        "definition_changes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition_changes")),
    )
    op.bulk_insert(counts, [{"id": 1, "changes": 0}])
    if op.get_bind().dialect.name == "sqlite":
        for table in _TABLES:
            for event in _EVENTS:
                op.execute(
                    f"CREATE TRIGGER {_name(table, event)} AFTER {event} ON {table}"  # noqa: S608
                    " BEGIN UPDATE definition_changes SET changes = changes + 1; END"
                )
        return
    # The notification is the one of changed credentials: both have caches look again.
    op.execute(
        "CREATE FUNCTION count_definition_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE definition_changes SET changes = changes + 1;"
        " PERFORM pg_notify('certgate_keys', '');"
        " RETURN NULL; END $$"
    )
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER {_name(table, 'change')} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION count_definition_change()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _TABLES:
            for event in _EVENTS:
                op.execute(f"DROP TRIGGER {_name(table, event)}")
    else:
        for table in _TABLES:
            op.execute(f"DROP TRIGGER {_name(table, 'change')} ON {table}")
        op.execute("DROP FUNCTION count_definition_change")
    op.drop_table("definition_changes")


def _name(table: str, event: str) -> str:
    return f"{table}_{event.lower()}_is_counted"
