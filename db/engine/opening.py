"""How a database is opened: `open_database(url)`."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url

from db.engine.database import Database, Pace
from db.engine.postgresql_url import target_of

PACE = Pace()
CONNECTIONS = 17
"""To PostgreSQL: more gain nothing for one process."""


def driver_url(url: str) -> URL:
    """The SQLAlchemy URL of a user's one: the driver added, SQLite's folder made. Raises `ValueError`."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise ValueError(
                    "CERTGATE_DATABASE_URL must name a file for SQLite, for example sqlite:///var/certgate.db"
                )
            # One that is there is as its owner wants it.
            Path(parsed.database).absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            if "@" in f"{parsed.host}{parsed.database}":
                # A part of the password was taken for the host, whose name is printed.
                raise ValueError("CERTGATE_DATABASE_URL has more than one @; write that of the password as %40")
            target_of(parsed)
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"CERTGATE_DATABASE_URL must start with sqlite:/// or postgresql://, not {other}")


async def open_database(
    url: str, pace: Pace = PACE, *, connections: int = CONNECTIONS, direct_url: str = "", read_urls: Sequence[str] = ()
) -> Database:
    """Opens the database behind `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.

    It has at most so many connections to PostgreSQL, at least three, of which one goes to `direct_url` if there is one:
    that which hears what others change. Each of `read_urls` is a server that follows, with half as many.

    Raises `ValueError` for another kind of URL and the driver's own error when the server cannot be reached.
    """
    target = driver_url(url)
    # Only the driver in use is imported: each costs a tenth of a second at start.
    if target.get_backend_name() == "sqlite":
        from db.engine.sqlite import open_sqlite

        return await open_sqlite(str(target.database), pace)
    from db.engine.postgresql import open_postgresql

    direct = driver_url(direct_url) if direct_url else None
    most = min(connections, CONNECTIONS)
    primary = await open_postgresql(target, pace, most, direct)
    if not read_urls:
        return primary
    from db.engine.postgresql import open_replica
    from db.engine.replicas import Replica, ReplicatedDatabase

    size = max(1, (most - 1) // 2)
    replicas = [
        Replica(f"Replica {number}", open_replica(driver_url(each), pace, size))
        for number, each in enumerate(read_urls, start=1)
    ]
    return ReplicatedDatabase(primary, replicas)
