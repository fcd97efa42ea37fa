"""What the columns of revisions are made of. It stays as it is, whatever the tables become."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

document = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def text(length: int | None = None) -> TypeEngine[str]:
    """A text that is compared byte by byte."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
