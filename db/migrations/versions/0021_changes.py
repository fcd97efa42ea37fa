"""The log of changes, which begins with one row for each object that is there."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0021"
down_revision = "0020"

# What the columns of records are, where they are not texts or numbers.
_MOMENTS = {"created_at", "updated_at", "archived_at", "expires_at"}
_DAYS = {"valid_from", "expiration_date", "expiry_date", "audit_date", "initial_certification_date"}
_DAYS |= {"until", "lapses_on", "held_since", "suspended_from", "suspended_until", "withdrawn_on"}
_DOCUMENTS = {"metadata", "certificate_countries", "limits"}
_FLAGS = {"requires_definition"}

_VERSIONED = ("created_at", "updated_at", "version")
_RECORDS: Mapping[str, tuple[str, ...]] = {
    "organizations": ("id", "slug", "name"),
    "memberships": ("user_id", "organization_id", "role", "created_at"),
    "api_keys": (
        *("id", "organization_id", "kind", "role", "name", "created_at", "user_id", "description", "metadata"),
        *("expires_at", "rate_limit_per_minute", "rate_limit_per_day"),
    ),
    "certification_bodies": ("id", "code", "name", "website", "description", "logo_url", "country", "kind"),
    "certifications": (
        *("id", "code", "label", "description", "url", "logo_url", "program", "standard", "organization_id"),
        "body_id",
    ),
    "claims": ("id", "code", "label", "category", "requires_definition", "description"),
    "views": ("id", "organization_id", "name", "kind", "where", "ordering", "created_at", "updated_at"),
    "products": (
        *("gtin", "id", "organization_id", "name", "brand", "manufacturer", "description", "country_of_origin"),
        *("net_content", "ingredients", "image_url", "data_source", "metadata", *_VERSIONED, "archived_at"),
        *("search_text", "folded_brand"),
    ),
    "certification_assignments": (
        *("gtin", "certification_id", "id", "metadata", "valid_from", "expiration_date", "expiry_date"),
        *("certificate_number", "issuing_body", "verification_url", "verification_status", "scope"),
        *("certification_value", "audit_date", "initial_certification_date", "certificate_countries"),
        *("held_since", "suspended_from", "suspended_until", "withdrawn_on", "standing_reason", *_VERSIONED),
    ),
    "claim_assignments": (
        *("gtin", "claim_id", "id", "metadata", "source", "valid_from", "expiration_date", "evidence_url"),
        *("evidence_note", *_VERSIONED),
    ),
    "certification_acknowledgements": ("id", "gtin", "until", "reason", "lapses_on", "created_at"),
    "claim_acknowledgements": ("id", "gtin", "until", "reason", "lapses_on", "created_at"),
}
# What is told of each: its kind, its id, its GTIN, its owner, and since when it has been as it is, as far as is known.
_OF_PRODUCT = "(SELECT p.organization_id FROM products p WHERE p.gtin = t.gtin)"
_TOLD = {
    "organizations": ("organization", "t.id", "''", "t.id", "t.created_at"),
    "memberships": ("membership", "t.organization_id || '/' || t.user_id", "''", "t.organization_id", "t.created_at"),
    "api_keys": ("api_key", "t.id", "''", "t.organization_id", "t.created_at"),
    "certification_bodies": ("certification_body", "t.id", "''", "NULL", "{now}"),
    "certifications": ("certification", "t.id", "''", "t.organization_id", "{now}"),
    "claims": ("claim", "t.id", "''", "NULL", "{now}"),
    "views": ("view", "t.id", "''", "t.organization_id", "t.updated_at"),
    "products": ("product", "t.id", "t.gtin", "t.organization_id", "t.updated_at"),
    "certification_assignments": ("certification_assignment", "t.id", "t.gtin", _OF_PRODUCT, "t.updated_at"),
    "claim_assignments": ("claim_assignment", "t.id", "t.gtin", _OF_PRODUCT, "t.updated_at"),
    "certification_acknowledgements": ("acknowledgement", "t.id", "t.gtin", _OF_PRODUCT, "t.created_at"),
    "claim_acknowledgements": ("acknowledgement", "t.id", "t.gtin", _OF_PRODUCT, "t.created_at"),
}
_REFUSAL = "The log of changes is only added to: no row of it is changed or removed."
_INDEXES = {
    "object": ["gtin", "object_id", "at", "seq"],
    "product": ["gtin", "at", "seq"],
    "kind": ["kind", "at"],
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    _create(is_sqlite=is_sqlite)
    for table, names in _RECORDS.items():
        _begin(table, names, "t.is_active" if table == "api_keys" else "", is_sqlite=is_sqlite)
    _begin("api_keys", ("id", "organization_id", "limits"), "t.graphql_limits IS NOT NULL", is_sqlite=is_sqlite)
    for name, columns in _INDEXES.items():
        op.create_index(op.f(f"ix_changes_{name}"), "changes", columns)
    _guard(is_sqlite=is_sqlite)


def _create(*, is_sqlite: bool) -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    # The GTIN, by which PostgreSQL's rows may be kept apart, has to be in its key. In its order nothing is told late.
    key = ["seq"] if is_sqlite else ["xid", "seq", "gtin"]
    xid = "0" if is_sqlite else "(pg_current_xact_id()::text::bigint)"
    op.create_table(
        "changes",
        sa.Column("seq", number, sa.Identity(), nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default=sa.text(xid), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("object_id", text(45), nullable=False),
        sa.Column("gtin", text(14), nullable=False),
        sa.Column("organization_id", text(22)),
        sa.Column("operation", text(64), nullable=False),
        sa.Column("record", document),
        sa.Column("members", document),
        sa.Column("credential", text(32), nullable=False),
        sa.Column("credential_id", text(64), nullable=False),
        sa.Column("user_id", text(22)),
        sa.Column("acting_id", text(22)),
        sa.Column("face", sa.String(32), nullable=False),
        sa.Column("request_id", text(64), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_changes")),
        sqlite_autoincrement=True,
    )


def _begin(table: str, names: tuple[str, ...], where: str, *, is_sqlite: bool) -> None:
    """Tells of the rows of a table as they are."""
    kind, id, gtin, owner, at = _TOLD[table]
    if "limits" in names:
        kind = "graphql_limits"
    now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')" if is_sqlite else "now()"
    function = "json_object" if is_sqlite else "jsonb_build_object"
    record = ", ".join(f"'{name}', {_value(name, is_sqlite=is_sqlite)}" for name in names)
    op.execute(
        "INSERT INTO changes (at, kind, object_id, gtin, organization_id, operation, record, credential,"  # noqa: S608
        " credential_id, face, request_id)"
        f" SELECT {at.format(now=now)}, '{kind}', {id}, {gtin}, {owner}, 'baseline', {function}({record}), 'operator',"
        f" '', 'upgrade', '' FROM {table} t {'WHERE ' if where else ''}{where}"
    )


def _value(name: str, *, is_sqlite: bool) -> str:
    """The value of a column as the application has it in JSON."""
    column = "t.graphql_limits" if name == "limits" else f't."{name}"'
    if name in _MOMENTS:
        # A fraction of a second is told where there is one.
        utc = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
        moment = f"replace({column}, ' ', 'T')" if is_sqlite else utc
        return f"replace({moment}, '.000000', '') || 'Z'"
    if not is_sqlite:
        return f"to_char({column}, 'YYYY-MM-DD')" if name in _DAYS else column
    if name in _DOCUMENTS:
        return f"json({column})"
    return f"json(CASE WHEN {column} THEN 'true' ELSE 'false' END)" if name in _FLAGS else column


def _guard(*, is_sqlite: bool) -> None:
    if is_sqlite:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER changes_refuse_{event.lower()} BEFORE {event} ON changes"
                f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER changes_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON changes"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_log()"
    )


def downgrade() -> None:
    op.drop_table("changes")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_log")
