"""The certificates that renewals replaced: oldest first by number, those of an assignment together."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import bindparam, delete, func, select

from db.engine.database import Database, Transaction
from db.sql.reads import KeyedRead, Read
from db.sql.tables import columns_of, earlier_certificates
from domain.gtin import Gtin
from domain.records import CertificationAssignment, EarlierCertificate

_EVERY = select(*columns_of(earlier_certificates, EarlierCertificate))
_BY_PRODUCT = KeyedRead(_EVERY, earlier_certificates.c.gtin, EarlierCertificate)
_OF_ONE = (
    earlier_certificates.c.gtin == bindparam("of"),
    earlier_certificates.c.certification_id == bindparam("definition"),
)
_LAST_NUMBER = Read(select(func.coalesce(func.max(earlier_certificates.c.number), 0)).where(*_OF_ONE), tuple)
_LAST = Read(
    _EVERY.where(*_OF_ONE).order_by(earlier_certificates.c.number.desc()).limit(bindparam("limit")), EarlierCertificate
)
_REMOVE = delete(earlier_certificates).where(*_OF_ONE, earlier_certificates.c.number == bindparam("certificate"))

Place = tuple[Gtin, str]
"""An assignment: its product and its certification."""


async def of_products(source: Database | Transaction, gtins: Sequence[Gtin]) -> dict[Place, list[EarlierCertificate]]:
    """The earlier certificates of all that these products hold, oldest first, in one statement.

    Whoever shows them has found the assignments before, for private ones do not exist for everybody.
    """
    found: dict[Place, list[EarlierCertificate]] = {}
    every = await source.fetch(_BY_PRODUCT, keys=list(dict.fromkeys(gtins))) if gtins else []
    for each in sorted(every, key=lambda one: one.number):
        found.setdefault((each.gtin, each.certification_id), []).append(each)
    return found


async def next_number(transaction: Transaction, held: CertificationAssignment) -> int:
    """The number of the next certificate that is replaced; the assignment is locked."""
    found = await transaction.fetch(_LAST_NUMBER, of=held.gtin, definition=held.certification.id)
    return int(found[0][0]) + 1


async def last(transaction: Transaction, held: CertificationAssignment) -> EarlierCertificate | None:
    """The certificate that the newest took the place of; the assignment is locked."""
    found = await transaction.fetch(_LAST, of=held.gtin, definition=held.certification.id, limit=1)
    return next(iter(found), None)


async def remove(transaction: Transaction, certificate: EarlierCertificate) -> None:
    """Deletes one."""
    place = {"of": certificate.gtin, "definition": certificate.certification_id, "certificate": certificate.number}
    await transaction.execute(_REMOVE, place)


async def add(transaction: Transaction, certificate: EarlierCertificate) -> None:
    """Stores a certificate that was replaced."""
    await transaction.insert(earlier_certificates, msgspec.structs.asdict(certificate))


async def add_many(transaction: Transaction, certificates: Iterable[EarlierCertificate]) -> None:
    """Stores those of new assignments."""
    await transaction.insert_in_parts(earlier_certificates, map(msgspec.structs.asdict, certificates))
