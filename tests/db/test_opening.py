"""Addresses of databases: what cannot be one is told without the password."""

import pytest

from db.engine.opening import driver_url


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
