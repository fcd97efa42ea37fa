"""Who may write (contract A12)."""

import pytest

from domain.access import Caller, Permission, owner_of_new, require, require_management, require_ownership
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


def test_managers_and_whoever_works_at_the_machine_manage_and_no_token_does() -> None:
    own = organization("brand")
    require_management(caller(KeyKind.BUSINESS, Role.MANAGER), own.id)
    require_management(Caller(None, None, Role.MANAGER, own), own.id)
    for refused in (
        Caller(None, None, Role.MANAGER, own, holder="token:7"),
        Caller(None, None, Role.EDITOR, own),
        caller(KeyKind.PUBLISHABLE, Role.MANAGER),
        caller(KeyKind.USER, Role.EDITOR),
    ):
        with pytest.raises(Forbidden, match="whose role in the organisation is manager"):
            require_management(refused, own.id)


def test_a_key_is_told_of_keys_and_a_person_of_the_role() -> None:
    key = caller(KeyKind.USER, Role.READONLY)
    person = Caller(
        None,
        KeyKind.USER,
        Role.READONLY,
        organization("brand"),
        session_id=catalogue_id("session", "ann"),
        holder="member:ann",
    )
    with pytest.raises(Forbidden) as told:
        require(key, Permission.WRITE)
    assert told.value.detail == (
        "This csu key with role readonly may not write;"
        " use a csb or csu key with role editor or manager in the owning organisation."
    )
    with pytest.raises(Forbidden) as told:
        require(person, Permission.WRITE)
    assert told.value.detail == (
        "You are signed in as readonly, which may not write; ask a manager of the organisation for the role editor."
    )
    with pytest.raises(Forbidden, match="sign in as a member of the organisation that owns it"):
        require_ownership(person, product("rival"))
    with pytest.raises(Forbidden, match="leave organization_id out, or ask a manager there for the role editor"):
        owner_of_new(person, organization("brand").id)
