"""By what days a certification is judged: those of its earlier certificates, and all suspensions and withdrawals."""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document

revision = "0029"
down_revision = "0028"
# The code at 0028 did use them, but no version with it was released: no server that has to go on names them.
unused = ("certification_assignments.held_since", "earlier_certificates.held_since")

_TABLE = "certification_assignments"
_EARLIER = "earlier_certificates"
_KEY = ("gtin", "certification_id")
_DAYS = ("valid_from", "expiration_date", "expiry_date", "suspended_from", "suspended_until", "withdrawn_on")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _table(name: str, *columns: sa.ColumnClause[Any]) -> sa.TableClause:
    days = (sa.column(name, sa.Date()) for name in _DAYS)
    return sa.table(name, *(sa.column(name, sa.String()) for name in _KEY), *days, *columns)


def _kept(earlier: sa.TableClause) -> dict[tuple[str, str], list[Any]]:
    """The earlier certificates of each assignment that has any, oldest first."""
    rows = sa.select(earlier).order_by(*(earlier.c[name] for name in (*_KEY, "number")))
    found = groupby(op.get_bind().execute(rows), lambda row: (row.gtin, row.certification_id))
    return {place: list(every) for place, every in found}


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _span(row: Any) -> list[str | None]:
    lapses = min((day for day in (row.expiration_date, row.expiry_date) if day is not None), default=None)
    return [_text(row.valid_from), _text(row.expiration_date), _text(lapses)]


def _said(row: Any) -> list[list[str | None]]:
    found = []
    if row.suspended_from is not None:
        found.append([_text(row.suspended_from), _text(row.suspended_until), "suspended"])
    if row.withdrawn_on is not None:
        found.append([_text(row.withdrawn_on), None, "withdrawn"])
    return found


def _judged() -> Iterator[dict[str, Any]]:
    """What is stored of each assignment of which anything is."""
    held, earlier = _table(_TABLE), _table(_EARLIER, sa.column("number"), sa.column("replaced_at", sa.DateTime()))
    kept = _kept(earlier)
    renewed = sa.exists().where(*(earlier.c[name] == held.c[name] for name in _KEY))
    rows = sa.select(held).where(held.c.suspended_from.is_not(None) | held.c.withdrawn_on.is_not(None) | renewed)
    for row in op.get_bind().execute(rows).all():
        place = (row.gtin, row.certification_id)
        before = kept.get(place, [])
        halted: list[list[str | None]] = []
        for one, following in zip(before, [*before, row][1:], strict=True):
            halted += _said(one)
            if halted:
                since = max(one.replaced_at.date(), following.valid_from or date.min)
                halted.append([_text(since), None, "renewed"])
        halted += _said(row)
        if before or halted:
            named = dict(zip(("of", "definition"), place, strict=True))
            yield {**named, "earlier": [_span(one) for one in before] or None, "halted": halted or None}


def _halts(day: str) -> None:
    """Computes anew whether there are suspensions or withdrawals."""
    endless, kept = ("'~'", "") if _is_sqlite() else ("'5874897-12-31'::date", " STORED")
    op.drop_index(op.f(f"ix_{_TABLE}_halts"), table_name=_TABLE)
    op.execute(f"ALTER TABLE {_TABLE} DROP COLUMN halts")
    op.execute(f"ALTER TABLE {_TABLE} ADD COLUMN halts DATE GENERATED ALWAYS AS (coalesce({day}, {endless})){kept}")
    condition = sa.text(f"halts < {endless}")
    op.create_index(
        op.f(f"ix_{_TABLE}_halts"),
        _TABLE,
        ["halts", "gtin", "certification_id", "archived_at"],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    judged = list(_judged())
    for name in ("earlier_days", "halted_days"):
        op.add_column(_TABLE, sa.Column(name, document))
    held = sa.table(_TABLE, *(sa.column(name, sa.String()) for name in _KEY))
    held.append_column(sa.column("earlier_days", document))
    held.append_column(sa.column("halted_days", document))
    if judged:
        stored = (sa.bindparam(name, type_=sa.JSON(none_as_null=True)) for name in ("earlier", "halted"))
        values = dict(zip(("earlier_days", "halted_days"), stored, strict=True))
        place = (held.c.gtin == sa.bindparam("of"), held.c.certification_id == sa.bindparam("definition"))
        op.get_bind().execute(sa.update(held).where(*place).values(values), judged)
    beginning = "'0001-01-01'" if _is_sqlite() else "'0001-01-01'::date"
    _halts(f"CASE WHEN (halted_days IS NOT NULL) THEN {beginning} END")
    for table in (_TABLE, _EARLIER):
        op.drop_column(table, "held_since")


def downgrade() -> None:
    for table in (_TABLE, _EARLIER):
        op.add_column(table, sa.Column("held_since", sa.Date()))
    _halts(
        "CASE WHEN (withdrawn_on < suspended_from OR suspended_from IS NULL) THEN withdrawn_on ELSE suspended_from END"
    )
    for name in ("earlier_days", "halted_days"):
        op.drop_column(_TABLE, name)
