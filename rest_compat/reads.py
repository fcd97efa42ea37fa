"""What is read by the path alone, where the operations take a key: commands, and what each of them asks."""

from domain.account import WhoAmI
from domain.commands import GetCertifiedProduct, InTime
from domain.gtin import SeparatedGtinField
from domain.records import Certification, CertificationBody, CertifiedProduct, Claim, Product
from domain.short_id import ShortIdField
from domain.validation import Command
from resolvers import account, assignments, bodies, certifications, claims, products
from resolvers.definitions import existing_definition
from resolvers.operation import Context


class GetCertificationBody(Command):
    """One body. Contract C2."""

    id: ShortIdField


class GetCertification(Command):
    """One definition. Contract C4."""

    id: ShortIdField


class GetClaim(Command):
    """One definition. Contract C6."""

    id: ShortIdField


class GetProduct(InTime):
    """One product. Contract 8: hyphens and blanks in the GTIN are ignored."""

    gtin: SeparatedGtinField


async def certification_body(context: Context, command: GetCertificationBody) -> CertificationBody:
    """Raises `NotFound`."""
    return await existing_definition(context, bodies.KIND, command.id)


async def certification(context: Context, command: GetCertification) -> Certification:
    """Raises `NotFound`."""
    return await existing_definition(context, certifications.KIND, command.id)


async def claim(context: Context, command: GetClaim) -> Claim:
    """Raises `NotFound`."""
    return await existing_definition(context, claims.KIND, command.id)


async def certified_product(context: Context, command: GetCertifiedProduct) -> CertifiedProduct:
    """A product with what it holds and claims, as agents ask for it; see `GetCertifiedProduct`. Raises `NotFound`."""
    found = await products.existing_product(context, command.gtin)
    (held,) = await assignments.of_products(context, certifications.KIND, [found.gtin])
    (claimed,) = await assignments.of_products(context, claims.KIND, [found.gtin])
    of_the_day = await certifications.on_day(context, held, context.today)
    # The contract has the newest certificate where no day is asked for.
    return CertifiedProduct(found, held if command.as_of is None else of_the_day, claimed, of_the_day)


async def product(context: Context, command: GetProduct) -> Product:
    """Raises `NotFound`."""
    return await products.existing_product(context, command.gtin)


async def whoami(context: Context, command: Command) -> WhoAmI:
    """The caller."""
    return await account.who_am_i(context)
