"""What an endpoint is: what the route table says of each."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from domain.validation import Command
from resolvers.operation import Context

C = TypeVar("C", bound=Command)
R = TypeVar("R")

Handler = Callable[[Request], Awaitable[Response]]


class Call(NamedTuple, Generic[C, R]):
    """An operation, and the command that it takes."""

    command: type[C]
    operation: Callable[[Context, C], Awaitable[R]]


class Endpoint(NamedTuple):
    """One method on one path, as the contract lists it.

    The statuses of refusals follow from the method and from what is sent; `rest_compat.openapi` derives them.
    """

    method: str
    path: str
    handler: Handler
    name: str
    """Behind `apps_<app>_api_` the operation id, from which generated clients make their function names."""
    tag: str
    summary: str
    description: str
    answer: Any
    """A struct of `rest_compat.outputs`, a list or `PageOut` of them, or None where nothing is sent (204)."""
    status: int = 200
    command: type[Command] | None = None
    """What is asked. Its members are the path's own parameters, and else those of the query or of the body."""
    body: str | None = None
    """The name of the body's schema; a command without one is asked in the query."""

    media_types: tuple[str, ...] = ()
    """What it can be answered as besides JSON, or instead where `answer` is None: see `rest_compat.manners`."""

    @property
    def app(self) -> str:
        """The API it belongs to: `certifications`, `products` or `account`."""
        return self.path.split("/")[1]

    @property
    def parameters(self) -> set[str]:
        """What may be asked in the query."""
        if self.command is None or self.body is not None:
            return set()
        return {name for name in self.command.model_fields if f"{{{name}}}" not in self.path}

    @property
    def operation_id(self) -> str:
        """Unique in all documents."""
        return f"apps_{self.app}_api_{self.name}"
