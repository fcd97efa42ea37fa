"""Users, organisations' API keys and what may be asked of them: the Account API (contract 1.5)."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import field
from pydantic import Field

from domain.metadata import MetadataUpdate
from domain.patch import Null, resolve_nulls
from domain.records import Organization, Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command, Moment, Text255
from domain.vocabulary import KeyKind, Role


class User(Record, frozen=True):
    """A person. `email` is in lower case."""

    id: ShortId
    email: str
    metadata: dict[str, str]


class Member(Record, frozen=True):
    """A membership as a list shows it: the organisation's slug, the user's address, the role."""

    organization: str
    email: str
    role: Role
    created_at: datetime


class ApiKey(Record, frozen=True):
    """An API key without the key, of which only the digest is stored."""

    id: ShortId
    organization_id: ShortId
    kind: KeyKind
    role: Role
    name: str
    created_at: datetime
    user_id: ShortId | None = None
    description: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    last_used: datetime | None = None
    rate_limit_per_minute: int = 0
    rate_limit_per_day: int = 0


class NewApiKey(Record, frozen=True):
    """A key that was just made. `secret` is the key itself, stored nowhere: it cannot be shown again."""

    entry: ApiKey
    secret: str


class WhoAmI(Record, frozen=True):
    """Who asks: the user behind a csu key, the organisations, and the key itself unless a browser is signed in."""

    user: User | None
    organizations: list[Organization]
    api_key: ApiKey | None


class ListApiKeys(Command):
    """The keys of an organisation that are not revoked."""

    organization_id: ShortIdField


class CreateApiKey(Command):
    """Make a key of an organisation. The least role is the default; `kind` and `expires_at` are additions of ours."""

    organization_id: ShortIdField
    name: Annotated[Text255, Field(min_length=1)]
    role: Role = Role.READONLY
    description: Text255 = ""
    metadata: MetadataUpdate | None = None
    kind: KeyKind = KeyKind.BUSINESS
    expires_at: Moment | None = None


_API_KEY = {"name": Null("empties", ""), "description": Null("empties", ""), "metadata": Null("empties", {})}


class PatchApiKey(Command):
    """Change what a key is called."""

    organization_id: ShortIdField
    key_id: ShortIdField
    name: Text255 | None = None
    description: Text255 | None = None
    metadata: MetadataUpdate | None = None

    def members(self) -> dict[str, Any]:
        """The members that the caller sent, nulls replaced by what they mean."""
        sent = {name: getattr(self, name) for name in _API_KEY if name in self.model_fields_set}
        return resolve_nulls(sent, _API_KEY)


class RevokeApiKey(Command):
    """Revoke a key, with the browser sessions that stand for it."""

    organization_id: ShortIdField
    key_id: ShortIdField
