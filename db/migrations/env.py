"""How Alembic runs here: over the connection that `db.migrate` hands in, one transaction for all revisions."""

from alembic import context
from sqlalchemy import Connection

from db.sql.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite cannot alter most of a table; Alembic then writes it anew.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
