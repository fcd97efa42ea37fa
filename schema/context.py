"""What one GraphQL operation carries along."""

from typing import Any

from strawberry import Info as StrawberryInfo

from resolvers.operation import Context as OperationContext


class Context:
    """The context of one operation: the request's own, what its batched fields gather, and how problems are named."""

    __slots__ = ("loaders", "operation", "request_id", "type_base")

    def __init__(self, operation: OperationContext, request_id: str, type_base: str) -> None:
        self.operation = operation
        self.request_id = request_id
        self.type_base = type_base
        self.loaders: dict[Any, Any] = {}


Info = StrawberryInfo[Context, None]
