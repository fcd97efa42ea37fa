"""The one history of migrations, from an empty database, on both kinds."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Index, inspect, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from db import revision
from db.engine.opening import driver_url, open_database
from db.migrate import current, downgrade, head, migrate
from db.sql.compiled import SQLITE
from db.sql.reads import Read
from db.sql.tables import ONLY_ON, changes, metadata
from db.sql.types import VocabularyText
from tests.processes import started

TOLD = Read(select(changes.c.record).where(changes.c.kind == "webhook"), lambda row: row[0])


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that was never migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


async def tables(url: str) -> set[str]:
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


async def differences(url: str) -> list[object]:
    """What `alembic check` would report."""

    def compare(connection: Connection) -> list[object]:
        name = connection.dialect.name

        def is_ours(of: Any, *_: object) -> bool:
            return of.info.get(ONLY_ON, name) == name if isinstance(of, Index) else True

        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_ours}), metadata)
        )

    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(compare)


async def test_up_makes_what_the_code_describes_and_down_leaves_nothing(empty_url: str) -> None:
    assert await current(empty_url) is None
    assert await migrate(empty_url) == (None, head())
    assert await tables(empty_url) == {*metadata.tables, "alembic_version"}
    assert await differences(empty_url) == []

    assert await downgrade(empty_url, "base") == (head(), None)
    assert await tables(empty_url) == {"alembic_version"}

    assert await migrate(empty_url) == (None, head())
    assert await differences(empty_url) == []


async def test_a_second_time_changes_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    assert await migrate(empty_url) == (head(), head())


async def test_the_comparison_sees_a_difference(empty_url: str) -> None:
    await migrate(empty_url)
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("DROP INDEX ix_products_organization"))
        await connection.execute(text("ALTER TABLE claims ADD COLUMN stray INTEGER"))
    assert len(await differences(empty_url)) == 2


async def test_the_revision_is_found_without_alembic(empty_url: str) -> None:
    assert revision.head() == head()
    database = await open_database(empty_url)
    try:
        assert await revision.stored(database) is None
        await migrate(empty_url)
        assert await revision.stored(database) == head() == await current(empty_url)
    finally:
        await database.close()


MIGRATE = """
import asyncio, sys, warnings
from db.migrate import migrate
warnings.simplefilter("error")
sys.stdin.readline()
print(*asyncio.run(migrate(sys.argv[1])))
"""


async def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(started("-c", MIGRATE, empty_url)) for _ in range(3)]
        for process in processes:
            print("go", file=process.input, flush=True)
        answers = [process.output.read().strip() for process in processes]
        assert [process.complaints() for process in processes] == ["", "", ""]
    assert sorted(answers) == [f"{head()} {head()}", f"{head()} {head()}", f"None {head()}"]
    assert await differences(empty_url) == []


async def test_on_sqlite_tables_and_indexes_are_word_for_word_those_of_the_code(tmp_path: Path) -> None:
    # The comparison above is blind to WITHOUT ROWID and to the conditions of partial indexes.
    url = f"sqlite:///{tmp_path / 'words.db'}"
    await migrate(url)
    statements: list[DDLElement] = []
    for table in metadata.tables.values():
        statements += [
            CreateTable(table),
            *(CreateIndex(index) for index in table.indexes if ONLY_ON not in index.info),
        ]
    wanted = {" ".join(str(statement.compile(dialect=SQLITE)).split()) for statement in statements}
    engine = create_async_engine(driver_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.scalars(
            text(
                "SELECT sql FROM sqlite_master"
                " WHERE type <> 'trigger' AND sql IS NOT NULL AND name NOT IN ('alembic_version', 'sqlite_sequence')"
            )
        )
        assert {_plain(" ".join(sql.split())) for sql in found} == {_plain(sql) for sql in wanted}


def _plain(sql: str) -> str:
    """Without what quoting and parentheses leave to taste, the members of a table in order."""
    sql = sql.replace('"', "").replace("( ", "(").replace(" )", ")").replace(" ,", ",")
    head_, _, members = sql.partition("(")
    tail = members[members.rindex(")") :]
    return head_ + ", ".join(sorted(members[: members.rindex(")")].split(", "))) + tail


async def test_an_infinity_of_postgresql_is_mended_and_kept_out(empty_postgresql_url: str) -> None:
    await migrate(empty_postgresql_url, "0008")
    connection = await asyncpg.connect(empty_postgresql_url)
    try:
        moment = "timestamptz '2026-01-01 00:00:00+00'"
        await connection.execute(
            f"""
            INSERT INTO organizations VALUES ('o', 'o', 'O', {moment});
            INSERT INTO api_keys (id, organization_id, kind, role, name, description, digest, is_active, expires_at,
                rate_limit_per_minute, rate_limit_per_day, metadata, created_at)
            VALUES ('k', 'o', 'csb', 'editor', '', '', 'd', true, 'infinity', 0, 0, '{{}}', {moment});
            INSERT INTO claims VALUES ('c', 'C', 'C', 'DIETARY', false, '');
            INSERT INTO products (gtin, id, organization_id, name, brand, description, country_of_origin, net_content,
                ingredients, manufacturer, image_url, data_source, metadata, created_at, updated_at, version,
                search_text)
            SELECT gtin, gtin, 'o', '', '', '', '', '', '', '', '', 'claimed', '{{}}', {moment}, {moment}, 1, ''
            FROM unnest(ARRAY['1', '2']) AS gtin;
            INSERT INTO claim_assignments (gtin, claim_id, id, metadata, source, valid_from, expiration_date,
                evidence_url, evidence_note, created_at, updated_at, version)
            VALUES ('1', 'c', '1', '{{}}', 'x', '-infinity', 'infinity', '', '', {moment}, {moment}, 1),
                ('2', 'c', '2', '{{}}', 'x', NULL, '2026-01-01', '', '', {moment}, {moment}, 1);
            """
        )
        await migrate(empty_postgresql_url)
        rows = await connection.fetch(
            "SELECT valid_from::text, expiration_date::text, ends::text FROM claim_assignments ORDER BY gtin"
        )
        assert [tuple(row) for row in rows] == [
            ("0001-01-01", "9999-12-31", "9999-12-31"),
            (None, "2026-01-01", "2026-01-01"),
        ]
        assert await connection.fetchval("SELECT expires_at = '9999-12-31 23:59:59.999999+00' FROM api_keys")
        for statement in (
            "UPDATE claim_assignments SET expiration_date = 'infinity'",
            "UPDATE claim_assignments SET valid_from = '0001-12-31 BC'",
            "UPDATE api_keys SET expires_at = '10000-01-01 00:00:00+00'",
        ):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(statement)
    finally:
        await connection.close()
    await downgrade(empty_postgresql_url, "0008")


async def test_brands_that_are_stored_are_folded(empty_url: str) -> None:
    await migrate(empty_url, "0010")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    async with engine.begin() as connection:
        moment = "'2026-01-01 00:00:00+00'"
        await connection.execute(text(f"INSERT INTO organizations VALUES ('o', 'o', 'O', {moment})"))
        for number, brand in enumerate(["", "Straße", "STRASSE", "\ufb01ne"]):
            await connection.execute(
                text(
                    "INSERT INTO products (gtin, id, organization_id, name, brand, description, country_of_origin,"
                    " net_content, ingredients, manufacturer, image_url, data_source, metadata, created_at,"
                    " updated_at, version, search_text)"
                    f" VALUES ('{number}', '{number}', 'o', '', :brand, '', '', '', '', '', '', 'claimed', '{{}}',"
                    f" {moment}, {moment}, 1, '')"
                ),
                {"brand": brand},
            )
    await migrate(empty_url)
    async with engine.connect() as connection:
        found = await connection.scalars(text("SELECT folded_brand FROM products ORDER BY gtin"))
        assert found.all() == ["", "strasse", "strasse", "fine"]
    await downgrade(empty_url, "0010")


async def test_who_is_signed_in_stays_so(empty_url: str) -> None:
    await migrate(empty_url, "0011")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    moment = "'2026-01-01 00:00:00+00'"
    async with engine.begin() as connection:
        for statement in (
            f"INSERT INTO organizations VALUES ('o', 'o', 'O', {moment})",
            (
                "INSERT INTO api_keys (id, organization_id, kind, role, name, description, digest, is_active,"
                " rate_limit_per_minute, rate_limit_per_day, metadata, created_at)"
                f" VALUES ('k', 'o', 'csb', 'editor', '', '', 'd', true, 0, 0, '{{}}', {moment})"
            ),
            f"INSERT INTO sessions (digest, api_key_id, created_at, expires_at) VALUES ('a', 'k', {moment}, {moment})",
            f"INSERT INTO sessions (digest, api_key_id, created_at, expires_at) VALUES ('b', 'k', {moment}, {moment})",
            f"INSERT INTO sign_in_links (digest, api_key_id, expires_at) VALUES ('l', 'k', {moment})",
        ):
            await connection.execute(text(statement))

    async def stored() -> list[tuple[str, ...]]:
        async with engine.connect() as connection:
            sessions = await connection.execute(text("SELECT digest, api_key_id FROM sessions ORDER BY digest"))
            links = await connection.execute(text("SELECT digest, api_key_id FROM sign_in_links"))
            return [tuple(row) for row in (*sessions, *links)]

    before = await stored()
    await migrate(empty_url)
    assert await stored() == before
    async with engine.connect() as connection:
        ids = (await connection.scalars(text("SELECT id FROM sessions"))).all()
        assert len({*ids}) == 2
        assert {len(id) for id in ids} == {22}
    await downgrade(empty_url, "0011")
    assert await stored() == before


_DEFINITION = """
    INSERT INTO certifications (id, code, label, description, url, program, standard)
    VALUES ('c', 'C', 'C', '', '', '', '')
"""


async def test_days_that_were_told_stay_as_they_were(empty_url: str) -> None:
    await migrate(empty_url, "0028")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    moment = "'2026-06-15 12:00:00+00'"
    made = f"'', '', '', 'unverified', '', '', '[]', 'Fraud', {moment}"
    async with engine.begin() as connection:
        for statement in (
            f"INSERT INTO organizations VALUES ('o', 'o', 'O', {moment})",
            _DEFINITION,
            *(
                "INSERT INTO products (gtin, id, organization_id, name, brand, description, country_of_origin,"
                " net_content, ingredients, manufacturer, image_url, data_source, metadata, created_at,"
                " updated_at, version, search_text, folded_brand)"
                f" VALUES ('{gtin}', '{gtin}', 'o', '', '', '', '', '', '', '', '', 'claimed', '{{}}',"
                f" {moment}, {moment}, 1, '', '')"
                for gtin in (1, 2, 3)
            ),
            *(
                "INSERT INTO certification_assignments (gtin, certification_id, id, metadata, valid_from,"
                " expiration_date, held_since, suspended_from, withdrawn_on, certificate_number, issuing_body,"
                " verification_url, verification_status, scope, certification_value, certificate_countries,"
                " standing_reason, created_at, updated_at, version)"
                f" VALUES ('{gtin}', 'c', '{gtin}', '{{}}', {days}, {made}, {moment}, 1)"
                for gtin, days in (
                    (1, "'2027-01-01', '2027-12-31', '2025-01-01', NULL, NULL"),
                    (2, "'2026-01-01', NULL, NULL, '2026-03-01', '2026-05-01'"),
                    (3, "'2026-01-01', NULL, NULL, NULL, NULL"),
                )
            ),
            *(
                "INSERT INTO earlier_certificates (gtin, certification_id, number, valid_from, expiration_date,"
                " expiry_date, suspended_from, suspended_until, withdrawn_on, certificate_number, issuing_body,"
                " verification_url, verification_status, scope, certification_value, certificate_countries,"
                f" standing_reason, replaced_at) VALUES ('1', 'c', {days}, {made})"
                for days in (
                    "1, NULL, '2024-12-31', '2024-06-30', '2024-02-01', '2024-02-09', NULL",
                    "2, '2025-01-01', NULL, NULL, NULL, NULL, '2026-05-01'",
                )
            ),
        ):
            await connection.execute(text(statement))
    await migrate(empty_url)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT earlier_days, halted_days, halts < '1000-01-01' FROM certification_assignments ORDER BY gtin")
        )
        found = [[json.loads(each) if isinstance(each, str) and "[" in each else each for each in row] for row in rows]
    await engine.dispose()
    assert [row[:2] for row in found] == [
        [
            [[None, "2024-12-31", "2024-06-30"], ["2025-01-01", None, None]],
            [
                ["2024-02-01", "2024-02-09", "suspended"],
                ["2026-06-15", None, "renewed"],
                ["2026-05-01", None, "withdrawn"],
                ["2027-01-01", None, "renewed"],
            ],
        ],
        [None, [["2026-03-01", None, "suspended"], ["2026-05-01", None, "withdrawn"]]],
        [None, None],
    ]
    assert [bool(row[2]) for row in found] == [True, True, False]
    await downgrade(empty_url, "0028")


async def test_webhooks_that_are_there_are_told_of_as_they_are(empty_url: str) -> None:
    await migrate(empty_url)
    await downgrade(empty_url, "0030")
    engine = create_async_engine(driver_url(empty_url), poolclass=NullPool)
    at = r"'2026-05-01 12\:00\:00'"
    async with engine.begin() as connection:
        await connection.execute(
            text(f"INSERT INTO organizations (id, slug, name, created_at) VALUES ('o', 'o', 'O', {at})")
        )
        await connection.execute(
            text(
                "INSERT INTO webhooks (id, organization_id, url, description, types, is_enabled, problem, secret,"
                " secret_before, position, ahead, attempts, due_at, test_id, deliveries, created_at, updated_at)"
                " VALUES ('w', 'o', 'https://hooks.example.org/HIDDEN', 'Shop', '[\"product\"]', true, '', 's',"
                f" '', 0, '[]', 0, {at}, '', '[]', {at}, {at})"
            )
        )
    await migrate(empty_url)
    database = await open_database(empty_url)
    try:
        (found,) = await database.fetch(TOLD)
    finally:
        await database.close()
        await engine.dispose()
    assert found["receiver"].startswith("https://hooks.example.org (")
    shown = {name: found[name] for name in ("id", "description", "types", "is_enabled", "view_id", "updated_at")}
    assert shown == {
        "id": "w",
        "description": "Shop",
        "types": ["product"],
        "is_enabled": True,
        "view_id": None,
        "updated_at": "2026-05-01T12:00:00Z",
    }


async def test_on_postgresql_text_is_compared_by_code_point(empty_postgresql_url: str) -> None:
    await migrate(empty_postgresql_url)
    engine = create_async_engine(driver_url(empty_postgresql_url), poolclass=NullPool)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'character varying'"
                " AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
            )
        )
        others = {(table, column) for table, column in rows}
    assert others == {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, VocabularyText)
    }
