"""A peer: Strawberry as its documentation shows it, on our SQLite file. Run as `python -m bench.stock FILE PORT`.

Strawberry's own ASGI view with its parser and validation caches, SQLAlchemy's async ORM on aiosqlite, a DataLoader for
each relation, a session for each load. No credentials, no limits.
"""

import base64
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Union

import strawberry
import uvicorn
from sqlalchemy import ForeignKey, event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

from db.sql.types import Document, UtcDateTime, VocabularyText
from domain import vocabulary
from domain.short_id import new_short_id

_CURSOR = "p1:"

for _enum in (vocabulary.VerificationStatus, vocabulary.ClaimSource, vocabulary.ClaimCategory):
    strawberry.enum(_enum)


class Base(DeclarativeBase):
    pass


class CertificationRow(Base):
    __tablename__ = "certifications"

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    label: Mapped[str]
    program: Mapped[str]


class ClaimRow(Base):
    __tablename__ = "claims"

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    label: Mapped[str]
    category: Mapped[vocabulary.ClaimCategory] = mapped_column(VocabularyText(vocabulary.ClaimCategory))


class ProductRow(Base):
    __tablename__ = "products"

    gtin: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    name: Mapped[str]
    brand: Mapped[str]
    country_of_origin: Mapped[str]
    net_content: Mapped[str]


class CertificationAssignmentRow(Base):
    __tablename__ = "certification_assignments"

    gtin: Mapped[str] = mapped_column(ForeignKey("products.gtin"), primary_key=True)
    certification_id: Mapped[str] = mapped_column(ForeignKey("certifications.id"), primary_key=True)
    id: Mapped[str]
    certificate_number: Mapped[str]
    issuing_body: Mapped[str]
    valid_from: Mapped[date | None]
    expiration_date: Mapped[date | None]
    verification_status: Mapped[vocabulary.VerificationStatus] = mapped_column(
        VocabularyText(vocabulary.VerificationStatus)
    )
    certification: Mapped[CertificationRow] = relationship()


class ClaimAssignmentRow(Base):
    __tablename__ = "claim_assignments"

    gtin: Mapped[str] = mapped_column(ForeignKey("products.gtin"), primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    id: Mapped[str]
    data: Mapped[Any] = mapped_column("metadata", Document)
    source: Mapped[vocabulary.ClaimSource] = mapped_column(VocabularyText(vocabulary.ClaimSource))
    valid_from: Mapped[date | None]
    expiration_date: Mapped[date | None]
    evidence_url: Mapped[str]
    evidence_note: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())
    version: Mapped[int]
    claim: Mapped[ClaimRow] = relationship()


@strawberry.type
class Certification:
    id: strawberry.ID
    code: str
    label: str
    program: str


@strawberry.type
class CertificationAssignment:
    id: strawberry.ID
    certificate_number: str
    issuing_body: str
    valid_from: date | None
    expiration_date: date | None
    verification_status: vocabulary.VerificationStatus
    certification: Certification


@strawberry.type
class Claim:
    id: strawberry.ID
    code: str
    label: str
    category: vocabulary.ClaimCategory


@strawberry.type
class ClaimAssignment:
    id: strawberry.ID
    source: vocabulary.ClaimSource
    valid_from: date | None
    expiration_date: date | None
    evidence_url: str
    claim: Claim


Info = strawberry.Info[dict[str, Any], None]


@strawberry.type
class Product:
    id: strawberry.ID
    gtin: str
    name: str
    brand: str
    country_of_origin: str
    net_content: str

    @strawberry.field
    async def certifications(self, info: Info) -> list[CertificationAssignment]:
        return await info.context["certifications"].load(self.gtin)  # type: ignore[no-any-return]

    @strawberry.field
    async def claims(self, info: Info) -> list[ClaimAssignment]:
        return await info.context["claims"].load(self.gtin)  # type: ignore[no-any-return]


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class ProductConnection:
    nodes: list[Product]
    page_info: PageInfo


@strawberry.type
class Query:
    @strawberry.field
    async def product(self, info: Info, gtin: str) -> Product | None:
        async with info.context["sessions"]() as session:
            row = await session.get(ProductRow, gtin)
        return row and _product(row)

    @strawberry.field
    async def products(self, info: Info, first: int = 25, after: str | None = None) -> ProductConnection:
        statement = select(ProductRow).order_by(ProductRow.gtin).limit(first + 1)
        if after:
            behind = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode().removeprefix(_CURSOR)
            statement = statement.where(ProductRow.gtin > behind)
        async with info.context["sessions"]() as session:
            rows = (await session.scalars(statement)).all()
        nodes = [_product(row) for row in rows[:first]]
        cursor = base64.urlsafe_b64encode(f"{_CURSOR}{nodes[-1].gtin}".encode()).decode() if nodes else None
        return ProductConnection(nodes=nodes, page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=cursor))


@strawberry.input
class AssignClaimInput:
    gtin: str
    claim_id: strawberry.ID


@strawberry.type
class ClaimAssigned:
    assignment: ClaimAssignment


@strawberry.type
class Refused:
    detail: str


AssignClaimResult = Annotated[Union[ClaimAssigned, Refused], strawberry.union("AssignClaimResult")]  # noqa: UP007


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def assign_claim(self, info: Info, input: AssignClaimInput) -> AssignClaimResult:
        now = datetime.now(UTC)
        row = ClaimAssignmentRow(
            gtin=input.gtin,
            claim_id=input.claim_id,
            id=new_short_id(now),
            data={},
            source=vocabulary.ClaimSource.BRAND_SELF_DECLARED,
            evidence_url="",
            evidence_note="",
            created_at=now,
            updated_at=now,
            version=1,
        )
        async with info.context["sessions"].begin() as session:
            claim = await session.get(ClaimRow, input.claim_id)
            if claim is None or await session.get(ProductRow, input.gtin) is None:
                return Refused(detail="not found")
            row.claim = claim
            session.add(row)
            await session.flush()
        return ClaimAssigned(assignment=_claim(row))


def _product(row: ProductRow) -> Product:
    return Product(
        id=strawberry.ID(row.id),
        gtin=row.gtin,
        name=row.name,
        brand=row.brand,
        country_of_origin=row.country_of_origin,
        net_content=row.net_content,
    )


def _certification(row: CertificationAssignmentRow) -> CertificationAssignment:
    held = row.certification
    return CertificationAssignment(
        id=strawberry.ID(row.id),
        certificate_number=row.certificate_number,
        issuing_body=row.issuing_body,
        valid_from=row.valid_from,
        expiration_date=row.expiration_date,
        verification_status=row.verification_status,
        certification=Certification(id=strawberry.ID(held.id), code=held.code, label=held.label, program=held.program),
    )


def _claim(row: ClaimAssignmentRow) -> ClaimAssignment:
    made = row.claim
    return ClaimAssignment(
        id=strawberry.ID(row.id),
        source=row.source,
        valid_from=row.valid_from,
        expiration_date=row.expiration_date,
        evidence_url=row.evidence_url,
        claim=Claim(id=strawberry.ID(made.id), code=made.code, label=made.label, category=made.category),
    )


Sessions = async_sessionmaker[AsyncSession]


class View(GraphQL[dict[str, Any], None]):
    """The view with the loaders of each request."""

    def __init__(self, sessions: Sessions) -> None:
        schema = strawberry.Schema(Query, Mutation, extensions=[ParserCache, ValidationCache])
        super().__init__(schema, graphql_ide=None)
        self.sessions = sessions

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> dict[str, Any]:
        return {
            "sessions": self.sessions,
            "certifications": DataLoader(self.load_certifications),
            "claims": DataLoader(self.load_claims),
        }

    async def load_certifications(self, gtins: Sequence[str]) -> list[list[CertificationAssignment]]:
        row = CertificationAssignmentRow
        statement = select(row).where(row.gtin.in_(gtins)).options(joinedload(row.certification))
        found = defaultdict(list)
        async with self.sessions() as session:
            for each in await session.scalars(statement):
                found[each.gtin].append(_certification(each))
        return [sorted(found[gtin], key=lambda each: each.certification.label) for gtin in gtins]

    async def load_claims(self, gtins: Sequence[str]) -> list[list[ClaimAssignment]]:
        row = ClaimAssignmentRow
        statement = select(row).where(row.gtin.in_(gtins)).options(joinedload(row.claim))
        found = defaultdict(list)
        async with self.sessions() as session:
            for each in await session.scalars(statement):
                found[each.gtin].append(_claim(each))
        return [sorted(found[gtin], key=lambda each: each.claim.label) for gtin in gtins]


def _pragmas(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def application(file: str) -> View:
    """The view on an SQLite file."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    event.listen(engine.sync_engine, "connect", _pragmas)
    return View(async_sessionmaker(engine, expire_on_commit=False))


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[1]),
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
