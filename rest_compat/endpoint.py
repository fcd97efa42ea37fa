"""What an endpoint is: what the route table says of each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.validation import Command
from resolvers.operation import Context, WriteOperation
from rest_compat.documented import Output
from rest_compat.outputs import FeedOut, PageOut

Operation = Callable[[Context, Any], Awaitable[Any]]
"""What is done for a command, which its annotations tell."""

ShowRows = Callable[[Context, Any, Any], Awaitable[list[Any]]]
"""The answer of a list to a command, in the form of `Output.rows`."""

Form = Literal["one", "list", "page", "feed"]
"""One thing, a bare array of them, a numbered page, or what is continued behind a cursor."""

_DOCUMENTED: dict[Form, Any] = {"list": list, "page": PageOut, "feed": FeedOut}


_OF_CONTRACT = frozenset(
    {
        "certification-bodies",
        "certifications",
        "claims",
        "products",
        "trade-items",
        "whoami",
        "organizations",
        "api-keys",
    }
)
"""The words of the paths that the documented API has."""


class Api(NamedTuple):
    """What is said of one API as a whole."""

    title: str
    summary: str
    tags: Mapping[str, tuple[str, str]]
    """Its groups of operations: by what follows in their paths (or behind an organisation), name and content."""


APIS = {
    "certifications": Api(
        "Certifications API",
        "Which certifications a product holds and which claims it makes, with the definitions behind them.",
        {
            "certification-bodies": (
                "Certification Bodies",
                "Organisations that certify, own marks or run public schemes.",
            ),
            "certifications": ("Certifications", "Definitions of certifications."),
            "claims": ("Claims", "Definitions of claims."),
            "products": ("Assignments", "Certifications and claims of a product."),
            "exports": ("Exports", "Whole lists as files."),
            "imports": ("Imports", "Files that are put in."),
            "changes": ("Changes", "What became of your products."),
        },
    ),
    "products": Api(
        "Products API",
        "Products by GTIN, as far as certifications and claims are about them.",
        {
            "products": ("Products", "The products of an organisation."),
            "trade-items": ("Trade Items", "The products of everybody."),
        },
    ),
    "account": Api(
        "Account API",
        "Who is asking, and the API keys, the people and the saved views of an organisation.",
        {
            "whoami": ("Account", "The credential that asks."),
            "api-keys": ("API Keys", "Keys of an organisation, for programs."),
            "members": ("Members", "Who belongs to an organisation."),
            "invitations": ("Invitations", "Links by which people become members."),
            "views": ("Saved Views", "Lists of an organisation under a name."),
            "calendars": ("Calendars", "Lapses of saved views for calendar programs."),
            "lead-times": ("Lead Times", "How early an organisation wants to hear that something lapses."),
            "public-proof": ("Public Proof", "What anybody is shown of an organisation's products."),
            "webhooks": ("Webhooks", "Addresses to which changes are sent."),
            "sessions": ("Sessions", "Browsers that are signed in."),
            "history": ("History", "What became of what an organisation has besides products."),
            "verification": ("Verification", "Whether that, and what became of products, is whole."),
        },
    ),
}
"""Each API by the first part of its paths, `/<app>/api/v1/...`."""


class Endpoint(msgspec.Struct, frozen=True):
    """One method on one path, as the contract lists it.

    The statuses of refusals follow from the method and from what is sent; `rest_compat.openapi` derives them.
    """

    method: str
    path: str
    operation: Operation
    name: str
    """Behind `apps_<app>_api_` the operation id, from which generated clients make their function names."""
    summary: str
    description: str
    answer: Output | None = None
    """One of `rest_compat.outputs`, or None where nothing is sent (204)."""
    form: Form = "one"
    body: str | None = None
    """The name of the body's schema; a command without one is asked in the query."""
    command: type[Command] = Command
    """What is asked; what the operation takes, unless that is another. Its members are the path's own parameters, and
    else those of the query or of the body.
    """
    is_made: bool = False
    """Whether what is answered was made by the request (201)."""
    shows_change: bool = False
    """Whether the answer is made of what a write did, and not of what is there then."""
    write: Callable[[Request, Any, Any], tuple[bytes, str]] | None = None
    """Makes an answer that has several forms of a command and what its operation answers: the content and its type."""
    media_types: tuple[str, ...] = ()
    """The types that it can then have, besides JSON or, where `answer` is None, instead."""

    rows: ShowRows | None = None
    """What answers a list of which the query asks for nothing."""

    send: Callable[[Request, Any, Any], Awaitable[Response]] | None = None
    """Answers a command and what its operation answers with a file that is sent while it is made."""
    stream: Callable[[Request, Any], Awaitable[Response]] | None = None
    """Answers a command with events as they come, where `Accept` asks for them."""
    takes: tuple[str, ...] = ()
    """The types of the file that is its body, which `send` takes in and goes on with behind the answer (202)."""

    def __post_init__(self) -> None:
        if self.command is Command:
            asked = self.operation
            taken = asked.command if isinstance(asked, WriteOperation) else get_type_hints(asked)["command"]
            msgspec.structs.force_setattr(self, "command", taken)

    @property
    def app(self) -> str:
        """The API it belongs to: `certifications`, `products` or `account`."""
        return self.path.split("/")[1]

    @property
    def tag(self) -> str:
        """The group of operations that it belongs to."""
        parts = self.path.split("/")
        return APIS[self.app].tags[parts[6] if parts[4] == "organizations" else parts[4]][0]

    @property
    def in_path(self) -> list[str]:
        """The parameters of the path, in their order."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def parameters(self) -> set[str]:
        """What may be asked in the query."""
        return set() if self.body else self.command.model_fields.keys() - set(self.in_path)

    @property
    def is_ours(self) -> bool:
        """Whether the documented API has no such path, so that no client of that sends what is not known there."""
        return any(not part.startswith("{") and part not in _OF_CONTRACT for part in self.path.split("/")[4:])

    @property
    def status(self) -> int:
        """The status of success."""
        if self.answer is None and not self.media_types:
            return 204
        if self.takes:
            return 202
        return 201 if self.is_made else 200

    @property
    def sends_file(self) -> bool:
        """Whether it answers with a file."""
        return self.send is not None and self.answer is None

    @property
    def documented(self) -> Any:
        """The type of the answer."""
        struct: Any = self.answer and self.answer.struct
        return struct if self.form == "one" else _DOCUMENTED[self.form][struct]

    @property
    def is_shown_once(self) -> bool:
        """Whether the answer holds a secret, so that it is neither kept nor given again."""
        return isinstance(self.operation, WriteOperation) and self.operation.is_shown_once

    @property
    def operation_id(self) -> str:
        """Unique in all documents."""
        return f"apps_{self.app}_api_{self.name}"
