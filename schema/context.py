"""What one GraphQL operation carries along."""

from typing import Any

from strawberry import Info as StrawberryInfo

from domain.preconditions import Expected
from resolvers.operation import Context as OperationContext


class Context:
    """The context of one operation: the request's own, what its batched fields gather, and how problems are named."""

    __slots__ = ("loaders", "operation", "request_id", "type_base")

    def __init__(self, operation: OperationContext, request_id: str, type_base: str) -> None:
        self.operation = operation
        self.request_id = request_id
        self.type_base = type_base
        self.loaders: dict[Any, Any] = {}

    def begin_mutation(self, name: str, if_match: int | None, *, dry_run: bool) -> None:
        """From here on the operations act for the mutation of that name in the answer, on that version if one is given.

        An idempotency key covers the whole document; the name tells what was done under it.
        """
        expected = None if if_match is None else Expected(version=if_match)
        self.operation = self.operation.for_part(name, expected, dry_run=dry_run)


Info = StrawberryInfo[Context, None]
