"""Archived products, which the indexes of lists leave out, with what they hold and claim."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_KEYS = {
    "products": ["gtin"],
    "certification_assignments": ["gtin", "certification_id"],
    "claim_assignments": ["gtin", "claim_id"],
}
_INDEXES = {
    "products": {
        "search_text": ["search_text"],
        "brand": ["folded_brand", "gtin"],
        "country": ["country_of_origin", "gtin"],
        "source": ["data_source", "gtin"],
        "organization": ["organization_id", "gtin"],
        "updated": ["updated_at", "gtin"],
    },
    "certification_assignments": {
        "number": ["certificate_number", "gtin", "certification_id"],
        "issuer": ["issuing_body", "gtin", "certification_id"],
        "certification_lapses": ["certification_id", "lapses", "gtin"],
        "certification_ends": ["certification_id", "ends", "gtin"],
        "status_lapses": ["verification_status", "lapses", "gtin", "certification_id"],
        "certification": ["certification_id", "gtin"],
        "lapses": ["lapses", "gtin", "certification_id"],
        "ends": ["ends", "gtin", "certification_id"],
        "updated": ["updated_at", "gtin", "certification_id"],
        "begins": ["begins", "gtin", "certification_id"],
        "expires": ["expires", "gtin", "certification_id"],
        "audited": ["audited", "gtin", "certification_id"],
    },
    "claim_assignments": {
        "claim_ends": ["claim_id", "ends", "gtin"],
        "source_ends": ["source", "ends", "gtin", "claim_id"],
        "claim": ["claim_id", "gtin"],
        "ends": ["ends", "gtin", "claim_id"],
        "updated": ["updated_at", "gtin", "claim_id"],
        "begins": ["begins", "gtin", "claim_id"],
    },
}


def upgrade() -> None:
    for table, key in _KEYS.items():
        op.add_column(table, sa.Column("archived_at", sa.DateTime(timezone=True)))
        for name, columns in _INDEXES[table].items():
            op.drop_index(op.f(f"ix_{table}_{name}"), table_name=table)
            _create(name, table, [*columns, "archived_at"], "archived_at IS NULL")
        _create("archived", table, [*key, "archived_at"], "archived_at IS NOT NULL")


def _create(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(f"ix_{table}_{name}"), table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    for table in _KEYS:
        op.drop_index(op.f(f"ix_{table}_archived"), table_name=table)
        for name, columns in _INDEXES[table].items():
            op.drop_index(op.f(f"ix_{table}_{name}"), table_name=table)
            op.create_index(op.f(f"ix_{table}_{name}"), table, columns)
        op.drop_column(table, "archived_at")
