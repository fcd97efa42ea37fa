from db import migrate, revision
from db.engine.database import Database
from db.engine.opening import open_database


def test_the_newest_file_is_the_head_of_the_history() -> None:
    assert revision.head() == migrate.head()


async def test_the_stored_revision_is_alembics(database: Database, database_url: str) -> None:
    assert await revision.stored(database) == await migrate.current(database_url) == revision.head()


async def test_a_database_that_was_never_migrated_has_none(empty_postgresql_url: str, tmp_path: object) -> None:
    for url in (empty_postgresql_url, f"sqlite:///{tmp_path}/empty.db"):
        database = await open_database(url)
        try:
            assert await revision.stored(database) is None
        finally:
            await database.close()
