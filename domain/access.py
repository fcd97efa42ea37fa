"""Who asks, and what they may do (contract A12)."""

from enum import Enum

import msgspec

from domain.errors import Forbidden
from domain.records import Organization, Product
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role


class Permission(Enum):
    """What an operation needs; each operation declares one."""

    READ = "read"
    WRITE = "write"


class Caller(msgspec.Struct, frozen=True):
    """The authenticated principal of one request: an API key, or a browser session that stands for one."""

    key_id: ShortId
    kind: KeyKind
    role: Role
    organization: Organization

    def may(self, permission: Permission) -> bool:
        """Whether this credential permits such an operation at all, on whichever product."""
        if permission is Permission.READ:
            return True
        return self.role is not Role.READONLY and self.kind is not KeyKind.PUBLISHABLE


def require(caller: Caller, permission: Permission) -> None:
    """Raises `Forbidden` when the credential does not carry the permission."""
    if not caller.may(permission):
        raise Forbidden(
            f"This {caller.kind} key with role {caller.role} may not write;"
            " use a csb key of the owning organisation with role editor or manager."
        )


def require_ownership(caller: Caller, product: Product) -> None:
    """Raises `Forbidden` when the product belongs to another organisation: everyone may read it, the owner writes."""
    if product.organization_id != caller.organization.id:
        raise Forbidden(
            f"The product {product.gtin} belongs to another organisation; use a key of the organisation that owns it."
        )
