"""What a PostgreSQL URL says about the connection, in asyncpg's words: hosters print URLs that are made for libpq.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import URL

_OTHERS = re.compile(
    # libpq's
    r"keepalives(_\w+)?|tcp_user_timeout|gssencmode|gssdelegation|sslcompression|sslcertmode|sslsni|require(_auth|peer)"
    r"|load_balance_hosts|fallback_application_name"
    # Prisma's
    r"|connection_limit|pool_timeout|socket_timeout|schema|statement_cache_size|sslaccept|sslidentity"
)
_SERVERS = {"any", "primary", "standby", "read-write", "read-only", "prefer-standby"}


class Target(NamedTuple):
    """Where to connect, and what else `asyncpg.connect` is told."""

    dsn: str
    options: dict[str, Any]
    pooled: bool | None = None
    """Whether a pooler without prepared statements is in between; None where the URL does not say."""


def target_of(url: URL) -> Target:
    """How to connect to the server of a URL. Raises `ValueError`, one sentence, for what cannot be followed."""
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"CERTGATE_DATABASE_URL has the port {url.port}, but ports go from 1 to 65535")
    query = dict(url.normalized_query)
    options: dict[str, Any] = {}
    if timeout := _last(query.pop("connect_timeout", ())):
        if not re.fullmatch(r"[0-9]{1,6}", timeout):
            raise ValueError(f"CERTGATE_DATABASE_URL has connect_timeout={timeout}, which is no number of seconds")
        # libpq's 0 is asyncpg's default: no bound worth the name.
        options |= {"timeout": float(timeout)} if int(timeout) else {}
    pooled = {"true": True, "false": False}.get(_last(query.pop("pgbouncer", ())))
    # The certificate proves what the binding would: that nobody sits between.
    if _last(query.pop("channel_binding", ())) == "require" and _last(query.get("sslmode", ())) != "verify-full":
        raise ValueError(
            "CERTGATE_DATABASE_URL has channel_binding=require, which asyncpg cannot do; say sslmode=verify-full"
            " and sslrootcert=/etc/ssl/certs/ca-certificates.crt (or your own authority's file) as well, which protects"
            " as much, or leave it out"
        )
    if (wanted := _last(query.get("target_session_attrs", ("any",)))) not in _SERVERS:
        raise ValueError(
            f"CERTGATE_DATABASE_URL has target_session_attrs={wanted}, but it is one of {', '.join(sorted(_SERVERS))}"
        )
    for name in query:
        if _OTHERS.fullmatch(name):
            raise ValueError(
                f"CERTGATE_DATABASE_URL has the option {name}, which is for other clients than asyncpg; leave it out"
            )
    plain = url.set(drivername="postgresql", query=query)
    target = Target(plain.render_as_string(hide_password=False), options, pooled)
    return unprepared(target) if pooled else target


def unprepared(target: Target) -> Target:
    """The same without statements that the server is to keep."""
    return Target(target.dsn, target.options | {"statement_cache_size": 0}, pooled=True)


def _last(values: Sequence[str]) -> str:
    """Of an option that stands more than once the last counts, as for libpq."""
    return values[-1] if values else ""
