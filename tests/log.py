"""The log of changes, replayed as plainly as can be."""

from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db import history
from db.engine.opening import driver_url
from db.sql import tables
from domain import webhooks
from domain.account import ApiKey
from domain.history import OPERATOR
from domain.records import CertificationAssignment, ClaimAssignment, Product
from domain.vocabulary import ObjectKind
from domain.webhooks import Webhook
from tests.world import NOON, OTHERS_GTIN, World


class Told(NamedTuple):
    """A row of the log."""

    seq: int
    at: datetime
    kind: str
    object_id: str
    gtin: str
    organization_id: str | None
    operation: str
    record: dict[str, Any] | None
    members: list[Any] | None
    credential: str
    credential_id: str
    user_id: str | None
    acting_id: str | None
    face: str
    request_id: str
    day: date | None


async def log(world: World) -> list[Told]:
    """The log, in its order."""
    rows = sorted(await world.rows(tables.changes))
    return [Told(*row) for row in rows]


def replay(rows: list[Told], until: datetime | None = None) -> dict[str, dict[str, dict[str, Any]]]:
    """What there is after these rows: by kind and id, the columns of what is not removed."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in ObjectKind}
    for row in rows:
        if until is not None and row.at > until:
            continue
        of_kind = found[row.kind]
        if row.record is None:
            del of_kind[row.object_id]
            if row.kind.endswith("assignment"):
                found["acknowledgement"].pop(row.object_id, None)
        else:
            of_kind[row.object_id] = row.record
    return found


async def stored(world: World) -> dict[str, dict[str, dict[str, Any]]]:
    """What there is in the tables, in the same form."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in ObjectKind}
    names: dict[str, tuple[str, ...]] = {
        "products": (*Product.__struct_fields__, "search_text", "folded_brand"),
        "certification_assignments": (*_own(CertificationAssignment), "certification_id"),
        "claim_assignments": (*_own(ClaimAssignment), "claim_id"),
        "organizations": ("id", "slug", "name"),
    }
    for name, kind in history.KINDS.items():
        for row in await _rows(world, name):
            found[kind][row["id"]] = {of: row[of] for of in names.get(name, row)}
    for row in await _rows(world, "memberships"):
        found["membership"][f"{row['organization_id']}/{row['user_id']}"] = row
    for table in tables.ACKNOWLEDGED.values():
        own = ("id", "gtin", "until", "reason", "lapses_on", "created_at")
        for row in await _rows(world, table.name):
            found["acknowledgement"][row["id"]] = {name: row[name] for name in own}
    for row in await _rows(world, "public_proofs"):
        found["public_proof"][row["organization_id"]] = row
    for row in await _rows(world, "views"):
        found["view"][row["id"]] = row
    for row in await _rows(world, "webhooks"):
        webhook = Webhook(**{name: row[name] for name in Webhook.__struct_fields__})
        found["webhook"][row["id"]] = msgspec.structs.asdict(webhooks.told(webhook))
    for row in await _rows(world, "api_keys"):
        if row["is_active"]:
            members = [member for member in ApiKey.__struct_fields__ if member != "last_used"]
            found["api_key"][row["id"]] = {name: row[name] for name in members}
        if row["is_active"] and row["graphql_limits"]:
            limits = {"id": row["id"], "organization_id": row["organization_id"], "limits": row["graphql_limits"]}
            found["graphql_limits"][row["id"]] = limits
    return found


def _own(record: Any) -> tuple[str, ...]:
    return tuple(name for name in record.__struct_fields__[:-1] if name != "organization_id")


async def _rows(world: World, name: str) -> list[dict[str, Any]]:
    table = tables.metadata.tables[name]
    columns = [column.name for column in table.columns if column.computed is None]
    plain = msgspec.json.decode(msgspec.json.encode(await world.rows(table)))
    return [dict(zip(columns, row, strict=True)) for row in plain]


def settled(found: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Without what stands for nothing: columns that are NULL, and limits that are the installation's again."""
    return {
        kind: {
            id: {name: value for name, value in record.items() if value is not None}
            for id, record in records.items()
            if kind != "graphql_limits" or record["limits"]
        }
        for kind, records in found.items()
    }


async def catch_up(world: World) -> None:
    """Tells of what a test has written past the operations, as an upgrade tells of what is there."""
    there, told = settled(await stored(world)), settled(replay(await log(world)))
    entries = [
        history.entry_of_row(
            ObjectKind(kind),
            None,
            {"id": id, **record},
            record.get("organization_id", world.rival if record.get("gtin") == OTHERS_GTIN else world.brand),
            NOON,
            "baseline",
            OPERATOR,
        )
        | {"object_id": id, "record": record}
        for kind, records in there.items()
        for id, record in records.items()
        if told[kind].get(id) != record
    ]
    async with world.database.write() as transaction:
        await history.add(transaction, entries)


async def by_hand(url: str, *statements: Any) -> None:
    """What somebody does who may change tables and triggers."""
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for event in ("update", "delete"):
                for table in ("changes", "sealed"):
                    await connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_refuse_{event}"))
        else:
            await connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            await connection.execute(statement)
    await engine.dispose()
