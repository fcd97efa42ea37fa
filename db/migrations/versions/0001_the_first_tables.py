"""The first tables: organisations, keys and sessions, definitions, products and their assignments."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "certification_bodies",
        sa.Column("id", text(22), nullable=False),
        sa.Column("code", text(50), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("website", text(2000), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("logo_url", text(2000), nullable=True),
        sa.Column("country", text(2), nullable=False),
        sa.Column("kind", text(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_bodies")),
        sa.UniqueConstraint("code", name=op.f("uq_certification_bodies_code")),
    )
    op.create_table(
        "claims",
        sa.Column("id", text(22), nullable=False),
        sa.Column("code", text(50), nullable=False),
        sa.Column("label", text(100), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("requires_definition", sa.Boolean(), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("code", name=op.f("uq_claims_code")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", text(22), nullable=False),
        sa.Column("slug", text(63), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("description", text(255), nullable=False),
        sa.Column("digest", text(64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rate_limit_per_minute", sa.Integer(), nullable=False),
        sa.Column("rate_limit_per_day", sa.Integer(), nullable=False),
        sa.Column("metadata", document, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_api_keys_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_organization_id"), "api_keys", ["organization_id"], unique=False)

    op.create_table(
        "certifications",
        sa.Column("id", text(22), nullable=False),
        sa.Column("code", text(50), nullable=False),
        sa.Column("label", text(255), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("url", text(2000), nullable=False),
        sa.Column("logo_url", text(2000), nullable=True),
        sa.Column("program", text(255), nullable=False),
        sa.Column("standard", text(255), nullable=False),
        sa.Column("organization_id", text(22), nullable=True),
        sa.Column("body_id", text(22), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["certification_bodies.id"], name=op.f("fk_certifications_body_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_certifications_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certifications")),
    )
    op.create_index(op.f("ix_certifications_body_id"), "certifications", ["body_id"], unique=False)
    op.create_index(op.f("ix_certifications_organization_id"), "certifications", ["organization_id"], unique=False)
    op.create_index(
        "uq_certifications_code_global",
        "certifications",
        ["code"],
        unique=True,
        sqlite_where=sa.text("organization_id IS NULL"),
        postgresql_where=sa.text("organization_id IS NULL"),
    )
    op.create_index(
        "uq_certifications_code_private",
        "certifications",
        ["organization_id", "code"],
        unique=True,
        sqlite_where=sa.text("organization_id IS NOT NULL AND code != ''"),
        postgresql_where=sa.text("organization_id IS NOT NULL AND code != ''"),
    )

    op.create_table(
        "products",
        sa.Column("gtin", text(14), nullable=False),
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("brand", text(255), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("country_of_origin", text(2), nullable=False),
        sa.Column("net_content", text(100), nullable=False),
        sa.Column("ingredients", text(), nullable=False),
        sa.Column("manufacturer", text(255), nullable=False),
        sa.Column("image_url", text(2000), nullable=False),
        sa.Column("data_source", sa.String(32), nullable=False),
        sa.Column("metadata", document, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_products_organization_id")),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_products")),
        sa.UniqueConstraint("id", name=op.f("uq_products_id")),
    )
    op.create_index(op.f("ix_products_organization_id"), "products", ["organization_id"], unique=False)

    op.create_table(
        "certification_assignments",
        sa.Column("gtin", text(14), nullable=False),
        sa.Column("certification_id", text(22), nullable=False),
        sa.Column("id", text(22), nullable=False),
        sa.Column("metadata", document, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("expiration_date", sa.Date(), nullable=True),
        sa.Column("certificate_number", text(100), nullable=False),
        sa.Column("issuing_body", text(255), nullable=False),
        sa.Column("expiry_date", sa.Date(), nullable=True),
        sa.Column("verification_url", text(2000), nullable=False),
        sa.Column("verification_status", sa.String(32), nullable=False),
        sa.Column("scope", text(), nullable=False),
        sa.Column("certification_value", text(255), nullable=False),
        sa.Column("audit_date", sa.Date(), nullable=True),
        sa.Column("initial_certification_date", sa.Date(), nullable=True),
        sa.Column("certificate_countries", document, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certification_id"],
            ["certifications.id"],
            name=op.f("fk_certification_assignments_certification_id"),
        ),
        sa.ForeignKeyConstraint(
            ["gtin"], ["products.gtin"], name=op.f("fk_certification_assignments_gtin"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gtin", "certification_id", name=op.f("pk_certification_assignments")),
        sa.UniqueConstraint("id", name=op.f("uq_certification_assignments_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_certification_assignments_certification_id"),
        "certification_assignments",
        ["certification_id"],
        unique=False,
    )

    op.create_table(
        "claim_assignments",
        sa.Column("gtin", text(14), nullable=False),
        sa.Column("claim_id", text(22), nullable=False),
        sa.Column("id", text(22), nullable=False),
        sa.Column("metadata", document, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("expiration_date", sa.Date(), nullable=True),
        sa.Column("evidence_url", text(2000), nullable=False),
        sa.Column("evidence_note", text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_assignments_claim_id")),
        sa.ForeignKeyConstraint(
            ["gtin"], ["products.gtin"], name=op.f("fk_claim_assignments_gtin"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("gtin", "claim_id", name=op.f("pk_claim_assignments")),
        sa.UniqueConstraint("id", name=op.f("uq_claim_assignments_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_claim_assignments_claim_id"), "claim_assignments", ["claim_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("digest", text(64), nullable=False),
        sa.Column("api_key_id", text(22), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_sessions_api_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_api_key_id"), "sessions", ["api_key_id"], unique=False)

    op.create_table(
        "sign_in_links",
        sa.Column("digest", text(64), nullable=False),
        sa.Column("api_key_id", text(22), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_sign_in_links_api_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_links")),
    )
    op.create_index(op.f("ix_sign_in_links_api_key_id"), "sign_in_links", ["api_key_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sign_in_links_api_key_id"), table_name="sign_in_links")

    op.drop_table("sign_in_links")
    op.drop_index(op.f("ix_sessions_api_key_id"), table_name="sessions")

    op.drop_table("sessions")
    op.drop_index(op.f("ix_claim_assignments_claim_id"), table_name="claim_assignments")

    op.drop_table("claim_assignments")
    op.drop_index(op.f("ix_certification_assignments_certification_id"), table_name="certification_assignments")

    op.drop_table("certification_assignments")
    op.drop_index(op.f("ix_products_organization_id"), table_name="products")

    op.drop_table("products")
    op.drop_index("uq_certifications_code_private", table_name="certifications")
    op.drop_index("uq_certifications_code_global", table_name="certifications")
    op.drop_index(op.f("ix_certifications_organization_id"), table_name="certifications")
    op.drop_index(op.f("ix_certifications_body_id"), table_name="certifications")

    op.drop_table("certifications")
    op.drop_index(op.f("ix_api_keys_organization_id"), table_name="api_keys")

    op.drop_table("api_keys")
    op.drop_table("organizations")
    op.drop_table("claims")
    op.drop_table("certification_bodies")
