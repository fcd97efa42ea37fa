"""The tables, once for SQLite and PostgreSQL.

Assignments are clustered by product: primary key (gtin, definition), `WITHOUT ROWID` on SQLite, so that one product's
rows lie together. Ids are short ids as text (see `domain.short_id`).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    FromClause,
    Identity,
    Index,
    Integer,
    MetaData,
    ScalarSelect,
    Table,
    and_,
    case,
    literal_column,
    select,
)

from db.sql.types import (
    Beginning,
    CurrentTransaction,
    Day,
    DayBefore,
    Document,
    Endless,
    UtcDateTime,
    VocabularyText,
    earlier,
    open_end,
    text,
)
from domain.calendars import Calendar
from domain.history import OF_PRODUCTS
from domain.importing import Import
from domain.members import RecordMember, members_of
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    Claim,
    ClaimAssignment,
    EarlierCertificate,
    Product,
    Record,
)
from domain.views import SavedView
from domain.vocabulary import DigestPeriod, Face, KeyKind, ObjectKind, Role
from domain.webhooks import Webhook

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

KEPT_BY_TRIGGERS = "kept by triggers"
"""In a table's `info`: its rows come of those of other tables, by triggers, and are never copied."""

SHARDED = "sharded by gtin"
"""The comment on the table of products where it and what hangs on it lie on several servers (see `db.sharding`)."""

ONLY_ON = "only on"
"""In an index's `info`: the database that has it."""
OF_THE_DATABASE = "of the database"
"""In a column's `info`: its values say something in their own database only, and are never copied."""


def _id() -> Column[str]:
    return Column("id", text(22), primary_key=True)


def _own_id() -> Column[str]:
    return Column("id", text(22), nullable=False, unique=True)


def _gtin_of_product() -> Column[str]:
    return Column("gtin", ForeignKey("products.gtin", ondelete="CASCADE"), primary_key=True)


_TYPES: dict[type, Any] = {
    bool: Boolean(),
    date: Day(),
    datetime: UtcDateTime(),
    dict: Document,
    int: Integer(),
    list: Document,
}


def _members(record: type[Record], *own: Column[Any]) -> list[Column[Any]]:
    """The columns for the members of a record; those with a key, a reference or a length of the table's `own` first."""
    names = {column.name for column in own}
    rest = [member for member in members_of(record).values() if member.name not in names]
    return [*own, *(Column(member.name, _type(member), nullable=member.optional) for member in rest)]


def _type(member: RecordMember) -> Any:
    if issubclass(member.plain, StrEnum):
        return VocabularyText(member.plain)
    return text(member.limit) if member.plain is str else _TYPES[member.plain]


def _index(table: Table, **columns: tuple[str, ...]) -> None:
    """Gives a long list its indexes, each of them ending with the key; `db.paths` reads them of `info`.

    The most selective comes first: of two that answer as much of a filter, SQLite is told to take that one. What is
    archived is not among them, so that no list grows slower by it, but in an index of its own. SQLite before 3.43
    would read the row to see that, if the column were not there, too.
    """
    # PostgreSQL's have the same condition, as with the codes of certifications below.
    table.info["indexes"] = [
        Index(
            f"ix_{table.name}_{name}", *(table.c[column] for column in (*of, "archived_at")), sqlite_where=live(table)
        )
        for name, of in columns.items()
    ]
    Index(f"ix_{table.name}_archived", *table.primary_key, table.c.archived_at, sqlite_where=archived(table))


def live(table: FromClause) -> ColumnElement[bool]:
    """That a product is not archived, or an assignment's product; as the indexes of lists have it."""
    return table.c.archived_at.is_(None)


def archived(table: FromClause) -> ColumnElement[bool]:
    """That it is."""
    return table.c.archived_at.is_not(None)


_expiration_date: ColumnElement[Any] = literal_column("expiration_date", Date())
_valid_from: ColumnElement[Any] = literal_column("valid_from", Date())
_audit_date: ColumnElement[Any] = literal_column("audit_date", Date())
_expiry_date: ColumnElement[Any] = literal_column("expiry_date", Date())
_withdrawn_on: ColumnElement[Any] = literal_column("withdrawn_on", Date())
_halted_days: ColumnElement[Any] = literal_column("halted_days", Document)


def _end(name: str, day: ColumnElement[Any]) -> Column[Any]:
    """A day for orders and conditions, without NULL; never read."""
    return Column(name, Date, Computed(open_end(day)))


def lapse(
    expiration_date: ColumnElement[Any], expiry_date: ColumnElement[Any], withdrawn_on: ColumnElement[Any]
) -> ColumnElement[Any]:
    """The last day on which a certificate holds, as `domain.validity.lapses_on`; NULL where there is none."""
    return earlier(earlier(expiration_date, expiry_date), DayBefore(withdrawn_on))


def _of_archived() -> Column[Any]:
    """When its product was archived, for lists; written with the product, never read."""
    return Column("archived_at", UtcDateTime())


organizations = Table(
    "organizations",
    metadata,
    _id(),
    Column("slug", text(63), nullable=False, unique=True),
    Column("name", text(255), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)

users = Table(
    "users",
    metadata,
    _id(),
    # In lower case: whoever writes it otherwise is the same person.
    Column("email", text(254), nullable=False, unique=True),
    Column("metadata", Document, nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True, index=True),
    Column("role", VocabularyText(Role), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)

# How often members are told by mail, when next, and of what they were told.
digests = Table(
    "digests",
    metadata,
    Column("user_id", text(22), primary_key=True),
    Column("organization_id", text(22), primary_key=True),
    Column("period", VocabularyText(DigestPeriod), nullable=False),
    Column("due_at", UtcDateTime(), nullable=False, index=True),
    Column("told_until", UtcDateTime(), nullable=False),
    ForeignKeyConstraint(
        ["user_id", "organization_id"], ["memberships.user_id", "memberships.organization_id"], ondelete="CASCADE"
    ),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    # Whose memberships a csu key follows; NULL for the other kinds.
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("kind", VocabularyText(KeyKind), nullable=False),
    Column("role", VocabularyText(Role), nullable=False),
    Column("name", text(255), nullable=False),
    Column("description", text(255), nullable=False),
    # SHA-256 in hex; the key itself is shown once and kept nowhere.
    Column("digest", text(64), nullable=False, unique=True),
    Column("is_active", Boolean, nullable=False),
    Column("expires_at", UtcDateTime()),
    Column("last_used", UtcDateTime()),
    # 0 stands for the default of the installation (contract 1.7).
    Column("rate_limit_per_minute", Integer, nullable=False),
    Column("rate_limit_per_day", Integer, nullable=False),
    # By name, where they are not those of the installation; NULL for none.
    Column("graphql_limits", Document),
    Column("metadata", Document, nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)


def _stands_for() -> tuple[Column[Any] | ForeignKeyConstraint, ...]:
    """What a session or a link stands for, and ends with: an API key, or else somebody's membership."""
    return (
        Column("api_key_id", ForeignKey("api_keys.id", ondelete="CASCADE"), index=True),
        Column("user_id", text(22)),
        Column("organization_id", text(22)),
        ForeignKeyConstraint(
            ["user_id", "organization_id"], ["memberships.user_id", "memberships.organization_id"], ondelete="CASCADE"
        ),
    )


sessions = Table(
    "sessions",
    metadata,
    Column("digest", text(64), primary_key=True),
    _own_id(),
    *_stands_for(),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
    Column("last_used", UtcDateTime()),
    Column("browser", text(255), nullable=False, server_default=""),
    Column("address", text(50), nullable=False, server_default=""),
)
Index("ix_sessions_organization_id", sessions.c.organization_id, sessions.c.user_id)

sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", text(64), primary_key=True),
    *_stands_for(),
    Column("expires_at", UtcDateTime(), nullable=False),
)
Index("ix_sign_in_links_organization_id", sign_in_links.c.organization_id, sign_in_links.c.user_id)

# Who may become a member. One for each address in an organisation: the next takes its place.
invitations = Table(
    "invitations",
    metadata,
    _id(),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("email", text(254), nullable=False),
    Column("role", VocabularyText(Role), nullable=False),
    # SHA-256 in hex of the link's token.
    Column("digest", text(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime(), nullable=False),
    Column("expires_at", UtcDateTime(), nullable=False),
)
Index("uq_invitations_email", invitations.c.email, invitations.c.organization_id, unique=True)
Index("ix_invitations_organization_id", invitations.c.organization_id)

certification_bodies = Table(
    "certification_bodies",
    metadata,
    *_members(
        CertificationBody,
        _id(),
        Column("code", text(50), nullable=False, unique=True),
        Column("country", text(2), nullable=False),
    ),
)

certifications = Table(
    "certifications",
    metadata,
    *_members(
        Certification,
        _id(),
        # NULL: a global definition; else the only organisation that may see it.
        Column("organization_id", ForeignKey("organizations.id"), index=True),
        Column("body_id", ForeignKey("certification_bodies.id"), index=True),
    ),
)

# A code is unique among the global rows, and among one organisation's private rows; private rows may go without.
# The condition is PostgreSQL's as well, but SQLAlchemy would import all of its dialect to be told so; migrations do.
Index(
    "uq_certifications_code_global",
    certifications.c.code,
    unique=True,
    sqlite_where=certifications.c.organization_id.is_(None),
)
_private_with_code = certifications.c.organization_id.is_not(None) & (certifications.c.code != "")
Index(
    "uq_certifications_code_private",
    certifications.c.organization_id,
    certifications.c.code,
    unique=True,
    sqlite_where=_private_with_code,
)

claims = Table(
    "claims",
    metadata,
    *_members(Claim, _id(), Column("code", text(50), nullable=False, unique=True)),
)

# Counts the changes of the three tables above: one row, kept by triggers (see `db.definitions`).
definition_changes = Table(
    "definition_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("changes", Integer, nullable=False),
    info={KEPT_BY_TRIGGERS: True},
)

products = Table(
    "products",
    metadata,
    *_members(
        Product,
        Column("gtin", text(14), primary_key=True),
        _own_id(),
        Column("organization_id", ForeignKey("organizations.id"), nullable=False),
        Column("country_of_origin", text(2), nullable=False),
    ),
    # Name, brand and GTIN folded to one case in Python, because the databases' own folding differs outside ASCII; and
    # the brand alone.
    Column("search_text", text(), nullable=False),
    Column("folded_brand", text(), nullable=False, server_default=""),
)
_index(
    products,
    search_text=("search_text",),
    brand=("folded_brand", "gtin"),
    country=("country_of_origin", "gtin"),
    source=("data_source", "gtin"),
    organization=("organization_id", "gtin"),
    updated=("updated_at", "gtin"),
)

certification_assignments = Table(
    "certification_assignments",
    metadata,
    *_members(
        CertificationAssignment,
        _gtin_of_product(),
        Column("certification_id", ForeignKey("certifications.id"), primary_key=True),
        _own_id(),
        Column("standing_reason", text(255), nullable=False, server_default=""),
    ),
    # By what days are judged besides, read and written with the members: see `domain.validity`.
    Column("earlier_days", Document),
    Column("halted_days", Document),
    _end("ends", _expiration_date),
    _end("lapses", lapse(_expiration_date, _expiry_date, _withdrawn_on)),
    _end("begins", _valid_from),
    _end("expires", _expiry_date),
    _end("audited", _audit_date),
    # Whether it is suspended or withdrawn on any day: the first day of all if so.
    _end("halts", case((_halted_days.is_not(None), Beginning()))),
    _of_archived(),
    sqlite_with_rowid=False,
)
_index(
    certification_assignments,
    number=("certificate_number", "gtin", "certification_id"),
    issuer=("issuing_body", "gtin", "certification_id"),
    certification_lapses=("certification_id", "lapses", "gtin"),
    certification_ends=("certification_id", "ends", "gtin"),
    status_lapses=("verification_status", "lapses", "gtin", "certification_id"),
    certification=("certification_id", "gtin"),
    lapses=("lapses", "gtin", "certification_id"),
    ends=("ends", "gtin", "certification_id"),
    updated=("updated_at", "gtin", "certification_id"),
    begins=("begins", "gtin", "certification_id"),
    expires=("expires", "gtin", "certification_id"),
    audited=("audited", "gtin", "certification_id"),
)

# Few are, and the others shall not grow slower by it.
_halted = Index(
    "ix_certification_assignments_halts",
    certification_assignments.c.halts,
    certification_assignments.c.gtin,
    certification_assignments.c.certification_id,
    certification_assignments.c.archived_at,
    sqlite_where=certification_assignments.c.halts < Endless(),
)
certification_assignments.info["indexes"].insert(0, _halted)

# Certificates that renewals replaced, oldest first; those of one assignment lie together and go with it.
earlier_certificates = Table(
    "earlier_certificates",
    metadata,
    *_members(
        EarlierCertificate,
        Column("gtin", text(14), primary_key=True),
        Column("certification_id", text(22), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
    ),
    ForeignKeyConstraint(
        ["gtin", "certification_id"],
        ["certification_assignments.gtin", "certification_assignments.certification_id"],
        ondelete="CASCADE",
    ),
    sqlite_with_rowid=False,
)
Index(
    "ix_earlier_certificates_begins",
    *(earlier_certificates.c[name] for name in ("valid_from", "gtin", "certification_id")),
)

claim_assignments = Table(
    "claim_assignments",
    metadata,
    *_members(
        ClaimAssignment,
        _gtin_of_product(),
        Column("claim_id", ForeignKey("claims.id"), primary_key=True),
        _own_id(),
    ),
    _end("ends", _expiration_date),
    _end("begins", _valid_from),
    _of_archived(),
    sqlite_with_rowid=False,
)
_index(
    claim_assignments,
    claim_ends=("claim_id", "ends", "gtin"),
    source_ends=("source", "ends", "gtin", "claim_id"),
    claim=("claim_id", "gtin"),
    ends=("ends", "gtin", "claim_id"),
    updated=("updated_at", "gtin", "claim_id"),
    begins=("begins", "gtin", "claim_id"),
)


ASSIGNED = {"certifications": certification_assignments, "claims": claim_assignments}
"""What products have, as their filters call it."""


def _acknowledgements(assigned: Table) -> Table:
    """Who has taken on that assignments of a kind lapse."""
    of = assigned.name.removesuffix("_assignments")
    key = [column.key for column in assigned.primary_key]
    table = Table(
        f"{of}_acknowledgements",
        metadata,
        *(Column(name, assigned.c[name].type, primary_key=True) for name in key),
        _own_id(),
        Column("until", Day(), nullable=False),
        Column("reason", text(500), nullable=False),
        # As it was then. What holds up to another day now was renewed, and is nobody's concern any more.
        Column("lapses_on", Day(), nullable=False),
        # Who it was, either of the two.
        Column("user_id", text(22)),
        Column("api_key_id", text(22)),
        Column("created_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(key, [assigned.c[name] for name in key], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    Index(f"ix_{table.name}_until", table.c.until, *(table.c[name] for name in key))
    return table


ACKNOWLEDGED = {kind: _acknowledgements(assigned) for kind, assigned in ASSIGNED.items()}
"""Who has taken on lapses of what products have, as their filters call that."""


def columns_of(table: Table, record: type[Record]) -> list[Column[Any]]:
    """The columns of a record's members, in its order."""
    return [table.c[name] for name in record.__struct_fields__]


def owner_of(assignments: FromClause, gtin: ColumnElement[str] | None = None) -> ScalarSelect[str]:
    """The organisation that owns the product of each assignment, by the key of `products`.

    Of assignments to one product, whose `gtin` is given, it is looked up once and not for each.
    """
    of = assignments.c.gtin if gtin is None else gtin
    found = select(products.c.organization_id).where(products.c.gtin == of)
    return found.correlate(assignments).scalar_subquery()


def _inside(name: str, *columns: Column[str]) -> Table:
    """What is inside a JSON column, for the conditions on it; triggers keep these tables."""
    return Table(name, metadata, *columns, info={KEPT_BY_TRIGGERS: True}, sqlite_with_rowid=False)


def _key(name: str, length: int) -> Column[str]:
    return Column(name, text(length), primary_key=True)


product_metadata = _inside("product_metadata", _key("key", 40), _key("value", 500), _key("gtin", 14))
certification_assignment_metadata = _inside(
    "certification_assignment_metadata",
    _key("key", 40),
    _key("value", 500),
    _key("gtin", 14),
    _key("certification_id", 22),
)
certification_assignment_countries = _inside(
    "certification_assignment_countries", _key("country", 2), _key("gtin", 14), _key("certification_id", 22)
)
claim_assignment_metadata = _inside(
    "claim_assignment_metadata", _key("key", 40), _key("value", 500), _key("gtin", 14), _key("claim_id", 22)
)

# What the installation keeps to itself, in hex, by what it is for; made by the migration.
secrets = Table(
    "secrets",
    metadata,
    Column("name", text(32), primary_key=True),
    Column("value", text(128), nullable=False),
)

# What was answered to a write that carried an Idempotency-Key, so that it is not done twice.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    # SHA-256 in hex of principal, key and part; none of the three is kept.
    Column("digest", text(64), primary_key=True),
    # The product that was written to, "" where there is none; where tables are sharded, the row lies there.
    Column("gtin", text(14), nullable=False, server_default=""),
    # SHA-256 in hex of the operation and its command.
    Column("fingerprint", text(64), nullable=False),
    # The operation's record as JSON, as it was written; NULL when it holds a secret.
    Column("result", text()),
    Column("expires_at", UtcDateTime(), nullable=False, index=True),
)

# Files that are put in. A process that ends leaves its row as far as it came, and the next one goes on from there.
imports = Table(
    "imports",
    metadata,
    *_members(
        Import,
        _id(),
        Column("organization_id", ForeignKey("organizations.id"), nullable=False),
        Column("columns", Document, nullable=False, server_default="{}"),
        Column("map", Document, nullable=False, server_default="{}"),
        Column("map_of", text(22)),
    ),
    # SHA-256 in hex of the heads of its columns.
    Column("headings", text(64), nullable=False, server_default=""),
    # SHA-256 in hex of the files and of how they are put in.
    Column("digest", text(64), nullable=False),
    # The process that does it: its machine and its number there.
    Column("worker", text(255), nullable=False),
)
Index("ix_imports_organization", imports.c.organization_id, imports.c.id)
Index("ix_imports_digest", imports.c.digest)
Index("ix_imports_headings", imports.c.organization_id, imports.c.headings, imports.c.id)

# Lists of an organisation under a name.
views = Table(
    "views",
    metadata,
    *_members(SavedView, _id(), Column("organization_id", ForeignKey("organizations.id"), nullable=False)),
)
Index("uq_views_name", views.c.organization_id, views.c.name, unique=True)

# What lets programs read the lapses of a view without any credential.
calendars = Table(
    "calendars",
    metadata,
    *_members(
        Calendar,
        _id(),
        Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
        Column("view_id", ForeignKey("views.id", ondelete="CASCADE"), nullable=False, index=True),
    ),
    # SHA-256 in hex of the token in its address.
    Column("digest", text(64), nullable=False, unique=True),
    # What it has shown, so that it can cancel what was removed; see `domain.calendars.remembered`.
    Column("shown", Document, nullable=False, server_default="{}"),
)

# Where changes are sent to, and how far each has come: all up to `position` has arrived, and of what is behind it what
# is in `ahead`. There is no copy of what is to be sent; it stands in the log.
webhooks = Table(
    "webhooks",
    metadata,
    *_members(
        Webhook,
        _id(),
        Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
        Column("view_id", ForeignKey("views.id", ondelete="CASCADE"), index=True),
    ),
    # As they are: who signs has to know them.
    Column("secret", text(70), nullable=False),
    Column("secret_before", text(70), nullable=False),
    Column("rotated_at", UtcDateTime()),
    Column("position", BigInteger, nullable=False),
    Column("ahead", Document, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime(), nullable=False),
    # The id of what is to try it, "" while nothing is.
    Column("test_id", text(50), nullable=False),
    # The latest tries, as `domain.webhooks.Delivery` has them.
    Column("deliveries", Document, nullable=False),
)

# How many days before something lapses an organisation wants to hear of it, where that is not as usual.
lead_times = Table(
    "lead_times",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    # "" for the claims, and the certifications that have no row.
    Column("certification_id", text(22), primary_key=True),
    Column("days", Document, nullable=False),
)

# Whether anybody is shown what the products of an organisation hold, where a manager has said so.
public_proofs = Table(
    "public_proofs",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("is_enabled", Boolean, nullable=False),
)

# GraphQL documents that may be run by their ids. A row never changes: its text is what its digest says.
trusted_documents = Table(
    "trusted_documents",
    metadata,
    Column("digest", text(64), primary_key=True),
    Column("name", text(255), nullable=False),
    Column("text", text(), nullable=False),
    Column("created_at", UtcDateTime(), nullable=False),
)

# What was changed, in the order in which it was: only ever added to, which triggers see to. No row refers to another
# table, because it outlives what it tells of; gtin, "" where there is none, may decide where rows are kept.
changes = Table(
    "changes",
    metadata,
    # PostgreSQL's key has the transaction before it and the gtin behind it; see the revision.
    Column("seq", BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True),
    # PostgreSQL's number of the transaction: what is told in its order loses nothing that is committed late.
    Column("xid", BigInteger(), nullable=False, server_default=CurrentTransaction(), info={OF_THE_DATABASE: True}),
    Column("at", UtcDateTime(), nullable=False),
    Column("kind", VocabularyText(ObjectKind), nullable=False),
    Column("object_id", text(45), nullable=False),
    Column("gtin", text(14), nullable=False),
    # The owner; NULL for a global definition.
    Column("organization_id", text(22)),
    Column("operation", text(64), nullable=False),
    # The columns as they were stored, NULL for what was removed.
    Column("record", Document),
    # Of what was changed or removed: each member that differs, as [path, before, after].
    Column("members", Document),
    Column("credential", text(32), nullable=False),
    Column("credential_id", text(64), nullable=False),
    Column("user_id", text(22)),
    Column("acting_id", text(22)),
    Column("face", VocabularyText(Face), nullable=False),
    Column("request_id", text(64), nullable=False),
    # The day that brought it, where nobody did it.
    Column("day", Day()),
    sqlite_autoincrement=True,
)
Index("ix_changes_object", changes.c.gtin, changes.c.object_id, changes.c.at, changes.c.seq)
Index("ix_changes_product", changes.c.gtin, changes.c.at, changes.c.seq)
# PostgreSQL's has the same condition.
Index(
    "uq_changes_day",
    *(changes.c[name] for name in ("gtin", "object_id", "operation", "day")),
    unique=True,
    sqlite_where=changes.c.day.is_not(None),
)
# Managers ask for those of what is no product and no part of one. PostgreSQL's index has the same condition.
APART = and_(*(changes.c.kind != literal_column(f"'{kind.value}'") for kind in OF_PRODUCTS))
Index("ix_changes_apart", *(changes.c[name] for name in ("organization_id", "kind", "at", "seq")), sqlite_where=APART)
# SQLite's rows lie in this order.
Index("ix_changes_seq", changes.c.seq, info={ONLY_ON: "postgresql"})

# How far the log tells of what days bring: one row, from the first look on.
date_events = Table(
    "date_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # No clock is believed that tells of a day before it.
    Column("since", Day(), nullable=False),
    # All is told up to this day; of the next one what comes in turn before this, and of this up to an assignment.
    Column("day", Day(), nullable=False),
    Column("turn", text(64), nullable=False),
    Column("behind_gtin", text(14), nullable=False),
    Column("behind_id", text(22), nullable=False),
)

# The chain over the log: its rows in the order in which they are told of, each with the hash of all up to it.
sealed = Table(
    "sealed",
    metadata,
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger(), nullable=False),
    Column("organization_id", text(22)),
    Column("hash", text(44), nullable=False),
)
Index("uq_sealed_seq", sealed.c.seq, unique=True)
Index("ix_sealed_organization", sealed.c.organization_id, sealed.c.position)
