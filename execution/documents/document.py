"""A document that may be run, and its operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    OperationDefinitionNode,
    OperationType,
    Token,
    TokenKind,
)

from execution.documents.cost import OperationCost
from execution.documents.limits import DocumentLimits
from execution.documents.literals import Slots
from execution.documents.measure import Measure, Measured
from execution.errors import Refusal, RequestError
from execution.plan.programs import Programs


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a document."""

    name: str | None
    kind: OperationType
    node: OperationDefinitionNode
    measure: Measure
    cost: OperationCost
    programs: Programs = field(default_factory=Programs)


@dataclass(slots=True, eq=False)
class Document:
    """A document that was read, is within the limits and fits the schema."""

    source: str
    ast: DocumentNode
    operations: Mapping[str | None, Operation]
    """By name; an anonymous operation is alone in its document and stands under None."""
    measured: Measured
    limits: DocumentLimits
    """Those that it was last found to be within."""
    characters: int = 0
    """What it is charged for in the cache."""
    is_kept: bool = False
    """Whether it went into the cache, and so came before."""
    shape: tuple[Any, ...] | None = None
    """What it has in common with documents that differ only in literals; None if it has no literals."""
    template: "tuple[Document, Slots] | None" = None
    """What documents that differ only in literals run, once there was one."""
    like: "Document | None" = None
    """The document of whose template it runs the programs."""
    literals: Mapping[str, Any] = field(default_factory=dict)
    """The values of the template's variables."""

    def accept(self, limits: DocumentLimits) -> None:
        """Make sure that it is within these limits too. Raises `RequestError`."""
        check_length(self.source, limits)
        if limits.max_tokens < self.limits.max_tokens and _most_tokens(self.ast) > limits.max_tokens:
            raise too_many_tokens(limits)
        check_measures(self.measured, limits)
        self.limits = limits

    def select(self, name: str | None) -> Operation:
        """The operation to run. Raises `RequestError` when the name is unknown, or needed and not given."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        operation = self.operations.get(name) if name is not None else None
        if operation is not None:
            return operation
        known = ", ".join(sorted(f"'{known}'" for known in self.operations if known is not None)[:10])
        if not self.operations:
            message = "The document holds no operation; add a query or a mutation."
        elif name is None:
            message = f"The document holds several operations; name one of {known} in operationName."
        elif known:
            message = f"The document holds no operation named '{name[:100]}'; operationName must be one of {known}."
        else:
            message = f"The document's only operation has no name; leave operationName '{name[:100]}' out."
        raise RequestError.of(Refusal.OPERATION, "OPERATION_RESOLUTION_FAILURE", message)


def check_length(source: str, limits: DocumentLimits) -> None:
    """Raises `RequestError` for a text that is too long."""
    if len(source) > limits.max_source_length:
        raise RequestError.of(
            Refusal.LIMIT,
            "QUERY_TOO_LONG",
            f"The document has {len(source)} characters, the limit is {limits.max_source_length}; "
            "send values as variables or split it into several requests.",
        )


def check_measures(measured: Measured, limits: DocumentLimits) -> None:
    """Raises `RequestError` for a document that asks for too much."""
    errors = measured.refusals(limits)
    if errors:
        raise RequestError(Refusal.LIMIT, errors)


def too_many_tokens(limits: DocumentLimits) -> RequestError:
    """The refusal of a text with too many tokens."""
    return RequestError.of(
        Refusal.LIMIT,
        "QUERY_TOO_MANY_TOKENS",
        f"The document has more than {limits.max_tokens} tokens or comments; "
        "select fewer fields, use fragments or split it into several requests.",
    )


def _most_tokens(ast: DocumentNode) -> int:
    """How many lexical tokens a document has, or comments if they are more."""
    tokens = comments = 0
    token: Token | None = ast.loc.start_token if ast.loc else None
    while token is not None:
        comments += token.kind is TokenKind.COMMENT
        tokens += token.kind not in (TokenKind.SOF, TokenKind.EOF, TokenKind.COMMENT)
        token = token.next
    return max(tokens, comments)


def nested_too_deeply(what: str = "The document is nested too deeply to be read") -> RequestError:
    """The refusal of what cannot be followed to its innermost level."""
    return RequestError.of(Refusal.LIMIT, "QUERY_TOO_DEEP", f"{what}; nest fewer levels.")
