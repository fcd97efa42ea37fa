"""The log of changes tells of webhooks from now on, and of those that are there as they are."""

import re
from datetime import UTC, datetime
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document

revision = "0031"
down_revision = "0030"

_MEMBERS = ("id", "organization_id", "description", "view_id")
_MOMENTS = ("created_at", "updated_at")
_CHANGES = sa.table(
    "changes",
    *(sa.column(name) for name in ("kind", "object_id", "gtin", "organization_id", "operation", "face", "request_id")),
    *(sa.column(name) for name in ("credential", "credential_id")),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("record", document),
)
_WEBHOOKS = sa.table(
    "webhooks",
    *(sa.column(name) for name in (*_MEMBERS, "url")),
    sa.column("types", document),
    sa.column("is_enabled", sa.Boolean),
    *(sa.column(name, sa.DateTime(timezone=True)) for name in _MOMENTS),
)


def upgrade() -> None:
    rows = op.get_bind().execute(sa.select(_WEBHOOKS).order_by(_WEBHOOKS.c.id)).mappings()
    told = [_told(row) for row in rows]
    if told:
        op.bulk_insert(_CHANGES, told)


def downgrade() -> None:
    """Rows of the log stay, which no version before looks at."""


def _told(values: sa.RowMapping) -> dict[str, object]:
    host, behind = re.fullmatch("([^:]*:?/*[^/?]*)(.*)", values["url"], re.DOTALL).groups()  # type: ignore[union-attr]
    receiver = host if behind in ("", "/") else f"{host} ({sha256(behind.encode()).hexdigest()[:8]})"
    record = {"receiver": receiver, "types": values["types"], "is_enabled": bool(values["is_enabled"])}
    record |= {name: values[name] for name in _MEMBERS} | {name: _text(values[name]) for name in _MOMENTS}
    return {
        "at": values["updated_at"],
        "kind": "webhook",
        "object_id": values["id"],
        "gtin": "",
        "organization_id": values["organization_id"],
        "operation": "baseline",
        "record": record,
        "credential": "operator",
        "credential_id": "",
        "face": "upgrade",
        "request_id": "",
    }


def _text(at: datetime) -> str:
    moment = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return moment.isoformat().replace("+00:00", "Z")
