"""Brands folded to one case, so that they are found and ordered whatever it is."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text
from domain.text import fold

revision = "0011"
down_revision = "0010"

_INDEX = "ix_products_brand"


def upgrade() -> None:
    op.add_column("products", sa.Column("folded_brand", text(), nullable=False, server_default=""))
    connection = op.get_bind()
    # Found by the index that is there so far.
    brands = connection.scalars(sa.text("SELECT DISTINCT brand FROM products WHERE brand <> ''")).all()
    if brands:
        connection.execute(
            sa.text("UPDATE products SET folded_brand = :folded WHERE brand = :brand"),
            [{"brand": brand, "folded": fold(brand)} for brand in brands],
        )
    op.drop_index(op.f(_INDEX), table_name="products")
    op.create_index(op.f(_INDEX), "products", ["folded_brand", "gtin"])


def downgrade() -> None:
    op.drop_index(op.f(_INDEX), table_name="products")
    op.create_index(op.f(_INDEX), "products", ["brand", "gtin"])
    op.drop_column("products", "folded_brand")
