"""Who may write (contract A12)."""

import pytest

from domain.access import Caller, Permission, require, require_ownership
from domain.errors import Forbidden
from domain.short_id import catalogue_id
from domain.vocabulary import KeyKind, Role
from tests.domain.making import organization, product


def caller(kind: KeyKind, role: Role, slug: str = "brand") -> Caller:
    return Caller(catalogue_id("key", slug), kind, role, organization(slug))


WRITERS = {(kind, role) for kind in (KeyKind.BUSINESS, KeyKind.USER) for role in (Role.MANAGER, Role.EDITOR)}


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("role", Role)
def test_everyone_reads_and_some_write(kind: KeyKind, role: Role) -> None:
    who = caller(kind, role)
    require(who, Permission.READ)
    if (kind, role) in WRITERS:
        require(who, Permission.WRITE)
    else:
        with pytest.raises(Forbidden, match="may not write"):
            require(who, Permission.WRITE)


def test_the_owner_alone_writes() -> None:
    require_ownership(caller(KeyKind.BUSINESS, Role.EDITOR), product("brand"))
    with pytest.raises(Forbidden, match="another organisation"):
        require_ownership(caller(KeyKind.BUSINESS, Role.MANAGER, "rival"), product("brand"))
