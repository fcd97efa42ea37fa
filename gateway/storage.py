"""The database of the settings: opened, and at the revision that this code was written for."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from db import revision
from db.engine.database import Database
from db.engine.opening import CONNECTIONS, driver_url, open_database
from gateway.failures import Failure
from gateway.settings import Settings, SettingsError
from gateway.workers import number_of_workers

_UNREADABLE = (
    "CERTGATE_DATABASE_URL is not a URL that can be read; write for example"
    " postgresql://user:password@host:5432/name, special characters in the password as %XX."
)

_REFUSED_OPTIONS = {
    "42704",  # no setting of that name
    "22023",  # no value for it
    "55P02",  # one for the start of the server
}
"""What a server says of an option in a URL, by SQLSTATE."""


def shown(url: str) -> str:
    """The URL of a database for people: without the password, and without the options, which may hold one too."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


def require_folder(settings: Settings) -> None:
    """Raises `SettingsError` where imports have no folder, if one was asked for."""
    if "import_folder" not in settings.model_fields_set:
        return
    folder = Path(settings.import_folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no folder has such a name"
        raise SettingsError(
            f"CERTGATE_IMPORT_FOLDER names a folder that cannot be made or written to ({why}): correct it, or its"
            " rights."
        ) from None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, open until the block ends. Raises `Failure` when it is out of reach or not migrated."""
    if _is_no_file(settings.database_url):
        raise _without_tables(settings)
    share = settings.database_connections // number_of_workers(settings)
    read_urls = settings.database_read_urls.split()
    _require_followable("CERTGATE_DATABASE_DIRECT_URL", settings.database_direct_url)
    for url in read_urls:
        _require_followable("CERTGATE_DATABASE_READ_URLS", url)
    async with _connected(settings.database_url, share, settings.database_direct_url, read_urls) as database:
        stored = await _stored(database)
        if stored != revision.head():
            if stored is None:
                raise _without_tables(settings)
            raise Failure(
                f"The database is at revision {stored}, but this certgate needs revision {revision.head()}:"
                " run ./certgate migrate."
            )
        yield database


def _without_tables(settings: Settings) -> Failure:
    return Failure(
        f"The database {shown(settings.database_url)} has no tables: run ./certgate init, which sets it up with an"
        " organisation, or ./certgate migrate for the tables alone, or let CERTGATE_DATABASE_URL name yours."
    )


def _is_no_file(url: str) -> bool:
    """Whether the URL is of an SQLite file that is not there, and that looking into it would make."""
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return target.get_backend_name() == "sqlite" and bool(target.database) and not Path(str(target.database)).exists()


async def reach(url: str) -> None:
    """Makes sure that a database can be opened, whatever is in it. Raises `Failure`."""
    async with _connected(url):
        pass


async def migrate(settings: Settings) -> tuple[str | None, str]:
    """Brings the tables to the newest revision; the revisions before and after. Raises `Failure`."""
    _require_followable("CERTGATE_DATABASE_DIRECT_URL", settings.database_direct_url)
    url = settings.database_direct_url or settings.database_url
    async with _connected(url) as database:
        before = await _stored(database)
    if before != revision.head():
        # Alembic costs half a second of import, which only a change is worth.
        from db.migrate import migrate as upgrade

        await upgrade(url)
    return before, revision.head()


async def _stored(database: Database) -> str | None:
    stored = await revision.stored(database)
    if stored is not None and stored.startswith(revision.UNFINISHED):
        raise Failure(
            "The database holds a part of a copy that was stopped: start the same ./certgate copy or restore once"
            " more, which goes on with it, or make the database anew."
        )
    if stored is not None and stored > revision.head():
        raise Failure(
            f"The database is at revision {stored}, which this certgate is too old to know: update certgate,"
            " or point CERTGATE_DATABASE_URL at another database."
        )
    return stored


def _require_followable(name: str, url: str) -> None:
    """Raises `SettingsError` for the URL of another server that is none. Whether it answers is seen again and again."""
    if url:
        try:
            make_url(url)
            driver_url(url)
        except ArgumentError:
            raise SettingsError(_UNREADABLE.replace("CERTGATE_DATABASE_URL", name)) from None
        except ValueError as error:
            raise SettingsError(str(error).replace("CERTGATE_DATABASE_URL", name)) from None


@asynccontextmanager
async def _connected(
    url: str, connections: int = CONNECTIONS, direct_url: str = "", read_urls: Sequence[str] = ()
) -> AsyncIterator[Database]:
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(_UNREADABLE) from None
    try:
        driver_url(url)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise Failure(f"The directory of the database cannot be made: {error}; make it, or choose another.") from error
    try:
        database = await open_database(url, connections=connections, direct_url=direct_url, read_urls=read_urls)
    except ValueError as error:  # the driver reads the URL once more
        raise SettingsError(f"CERTGATE_DATABASE_URL cannot be followed: {str(error).splitlines()[0]}") from None
    except (OSError, TimeoutError) as error:
        raise Failure(
            f"The database {shown(url)} cannot be reached ({str(error) or 'timed out'}): check that the server"
            " runs and that CERTGATE_DATABASE_URL is right."
        ) from error
    except Exception as error:
        # What is left over in the URL, asyncpg hands to the server as settings of the session.
        if getattr(error, "sqlstate", None) not in _REFUSED_OPTIONS:
            raise
        raise SettingsError(
            "CERTGATE_DATABASE_URL has an option that the server does not take"
            f" ({str(error).splitlines()[0]}); correct it, or leave it out."
        ) from None
    try:
        yield database
    finally:
        await database.close()
