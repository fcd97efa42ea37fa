"""Addresses of databases: what cannot be one is told without the password. Closing."""

import asyncio

import pytest

from db.engine.opening import driver_url, open_database


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "must name a file for SQLite"),
        ("sqlite:///:memory:", "must name a file for SQLite"),
        ("mysql://user:hunter2@host/name", "must start with sqlite:/// or postgresql://, not mysql"),
        ("postgresql://user:hunt@er2@host/name", "has more than one @; write that of the password as %40"),
    ],
)
def test_what_is_no_address_of_a_database_is_told_without_the_password(url: str, says: str) -> None:
    with pytest.raises(ValueError, match="CERTGATE_DATABASE_URL") as refused:
        driver_url(url)
    assert says in str(refused.value)
    assert "hunt" not in str(refused.value)
    assert "er2" not in str(refused.value)


async def test_what_is_closed_may_be_closed_again(database_url: str) -> None:
    database = await open_database(database_url)
    await database.check()
    for _ in range(2):
        async with asyncio.timeout(20):
            await database.close()
