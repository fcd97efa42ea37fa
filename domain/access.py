"""Who asks, and what they may do (contract 1.5 and A12)."""

from enum import Enum
from typing import NamedTuple

import msgspec

from domain.errors import Forbidden, NotFound
from domain.records import CertificationAssignment, ClaimAssignment, Organization, Product
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role

READ_SCOPE = "certifications:read"
WRITE_SCOPE = "certifications:write"
"""The scopes of OAuth tokens; who may write may read too."""

_RANK = {Role.READONLY: 0, Role.EDITOR: 1, Role.MANAGER: 2}


class Permission(Enum):
    """What an operation needs; each operation declares one."""

    READ = "read"
    WRITE = "write"


# What every operation looks at: until Python 3.12 a member of an enum is found by a function written in Python.
_READ = Permission.READ
_PUBLISHABLE = KeyKind.PUBLISHABLE


class Membership(msgspec.Struct, frozen=True):
    """What somebody may do in one organisation."""

    organization: Organization
    role: Role


class SignedInAs(NamedTuple):
    """What a browser session stands for: an API key, or else a user's membership in one organisation."""

    api_key_id: ShortId | None = None
    user_id: ShortId | None = None
    organization_id: ShortId | None = None


class Caller(msgspec.Struct, frozen=True):
    """The authenticated principal of one request: an API key, a browser session, or a token.

    A session stands for an API key, or for a person's membership in one organisation. `organization` is the one it acts
    for unless it says otherwise, `role` what it may do there; `others` are the further organisations of the user behind
    a csu key, with what it may do in each.
    """

    key_id: ShortId | None
    """The API key, also behind a session; None for a membership and an OAuth token."""
    kind: KeyKind | None
    """That of the key; csu for a membership, None for an OAuth token."""
    role: Role
    organization: Organization
    others: tuple[Membership, ...] = ()
    user_id: ShortId | None = None
    """The user behind a csu key or a membership."""
    holder: str = ""
    """Who holds the OAuth token or the membership, as one word that is never the id of a key; "" for a key."""
    rate_limit_per_minute: int = 0
    """0: the installation's default for this kind of caller."""
    rate_limit_per_day: int = 0
    """0: the installation's default."""
    graphql_limits: tuple[tuple[str, int], ...] = ()
    """By name and in their order: what its GraphQL operations may ask for, where that is not the installation's."""
    session_id: ShortId | None = None
    """That of the browser session, None for a key and a token."""
    organization_ids: tuple[ShortId, ...] = ()
    """The organisations whose private definitions and notes exist for this caller; the one it acts for comes first."""

    def __post_init__(self) -> None:
        # Made once: a caller is remembered from one request to the next, and every statement asks.
        ids = tuple(organization.id for organization in self.organizations) if self.sees_private else ()
        msgspec.structs.force_setattr(self, "organization_ids", ids)

    @property
    def principal(self) -> str:
        """One word for whoever asks, the same in each of their requests: what is counted or remembered by caller."""
        return self.key_id or self.holder

    @property
    def is_operator(self) -> bool:
        """Whether it is whoever works at the machine, and owns the database: without any credential."""
        return self.kind is None and not self.principal

    @property
    def is_session(self) -> bool:
        """Whether it is a browser that has signed in."""
        return self.session_id is not None

    @property
    def is_member(self) -> bool:
        """Whether it is a person who has signed in as a member, without any key."""
        return self.kind is KeyKind.USER and self.key_id is None

    @property
    def sees_private(self) -> bool:
        """Whether what organisations keep to themselves may be shown: not with a publishable key, which is public."""
        return self.kind is not _PUBLISHABLE

    @property
    def organizations(self) -> list[Organization]:
        """The organisations that this caller belongs to; the one it acts for comes first."""
        return [self.organization, *(membership.organization for membership in self.others)]

    def sees_all_of(self, record: Product | CertificationAssignment | ClaimAssignment) -> bool:
        """Whether the whole record is shown, with what its owner keeps to itself."""
        return record.organization_id in self.organization_ids

    def role_in(self, organization_id: ShortId) -> Role | None:
        """What this credential may do in that organisation; None when it does not belong to it."""
        if organization_id == self.organization.id:
            return self.role
        for membership in self.others:
            if membership.organization.id == organization_id:
                return membership.role
        return None

    @property
    def only_owner(self) -> ShortId | None:
        """The only organisation whose products it may change; None where there may be several, or none."""
        return None if self.others or self.role is Role.READONLY else self.organization.id

    def may(self, permission: Permission) -> bool:
        """Whether this credential permits such an operation at all, in at least one of its organisations."""
        if permission is _READ:
            return True
        if self.kind is _PUBLISHABLE:
            return False
        return self.role is not Role.READONLY or any(other.role is not Role.READONLY for other in self.others)


def lesser(first: Role, second: Role) -> Role:
    """The role that permits less: a key never permits more than its user's membership, nor the other way round."""
    return min(first, second, key=_RANK.__getitem__)


def require(caller: Caller, permission: Permission) -> None:
    """Raises `Forbidden` when the credential does not carry the permission."""
    if caller.may(permission):
        return
    if caller.kind is None:
        raise Forbidden(f"This token may not write; ask for one with the scope {WRITE_SCOPE}.", scope=WRITE_SCOPE)
    if caller.is_member:
        raise Forbidden(
            f"You are signed in as {caller.role}, which may not write;"
            " ask a manager of the organisation for the role editor."
        )
    raise Forbidden(
        f"This {caller.kind} key with role {caller.role} may not write;"
        " use a csb or csu key with role editor or manager in the owning organisation."
    )


def require_private(caller: Caller, what: str) -> None:
    """Raises `Forbidden` when a publishable key asks by something that it may not see, which the answer would tell."""
    if not caller.sees_private:
        raise Forbidden(f"A publishable key sees no {what}, so it may not ask by it; leave it out, or use a csb key.")


def require_ownership(caller: Caller, product: Product) -> None:
    """Raises `Forbidden` unless the caller may write in the organisation that owns the product; everyone reads it."""
    role = caller.role_in(product.organization_id)
    if role is None:
        remedy = "sign in as a member" if caller.is_member else "use a key"
        raise Forbidden(
            f"The product {product.gtin} belongs to another organisation; {remedy} of the organisation that owns it."
        )
    if role is Role.READONLY:
        raise Forbidden(
            f"Your role in the organisation that owns the product {product.gtin} is readonly;"
            " ask a manager there for the role editor."
        )


def owner_of_new(caller: Caller, organization_id: ShortId | None) -> ShortId:
    """The organisation that shall own what the caller creates: the one named, else the one it acts for.

    Raises `Forbidden` unless the caller may write there.
    """
    owner = organization_id or caller.organization.id
    if caller.role_in(owner) in (None, Role.READONLY):
        remedy = (
            "ask a manager there for the role editor"
            if caller.is_member
            else "use a key with role editor or manager there"
        )
        raise Forbidden(f"You may not write for the organisation {owner}; leave organization_id out, or {remedy}.")
    return owner


def require_membership(caller: Caller, organization_id: ShortId, *, writes: bool = False) -> None:
    """Raises `NotFound` for an organisation that is not the caller's, `Forbidden` for a publishable key, and for who
    only reads where something is to be written.
    """
    role = caller.role_in(organization_id)
    if role is None:
        raise NotFound(f"You belong to no organisation with the id {organization_id}; whoami shows those you have.")
    require_private(caller, "saved views")
    if writes and role is Role.READONLY:
        raise Forbidden("Your role in the organisation is readonly; ask a manager there for the role editor.")


def manages(caller: Caller, organization_id: ShortId) -> bool:
    """Whether the caller is a manager of that organisation. No token is, whatever its scope."""
    is_asked = caller.is_operator or caller.kind not in (None, KeyKind.PUBLISHABLE)
    return is_asked and caller.role_in(organization_id) is Role.MANAGER


def require_management(caller: Caller, organization_id: ShortId, what: str = "Keys and people are managed") -> None:
    """Raises `NotFound` for an organisation that is not the caller's, `Forbidden` unless it is manager there.

    `what` says what a manager does.
    """
    role = caller.role_in(organization_id)
    if role is None:
        raise NotFound(f"You belong to no organisation with the id {organization_id}; whoami shows those you have.")
    if not manages(caller, organization_id):
        raise Forbidden(
            f"{what} with a csb or csu key, or by a signed-in member, whose role in the organisation is manager."
        )
