"""From the text of a request to a document that may be run, and the cache of such documents.

Everything that depends on the text alone happens here once: reading, judging by the limits, validating,
listing the operations. Validation costs many times what running a short query costs, so documents are
remembered.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    VariableDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from execution.errors import Refusal, RequestError, with_code
from execution.limits import Limits, Measure, judge
from execution.programs import Programs


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a document."""

    name: str | None
    kind: OperationType
    node: OperationDefinitionNode
    measure: Measure
    programs: Programs = field(default_factory=Programs)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that was read, is within the limits and fits the schema."""

    source: str
    ast: DocumentNode
    operations: Mapping[str | None, Operation]
    """By name; an anonymous operation is alone in its document and stands under None."""

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


class DocumentReader:
    """Reads, judges and validates documents for one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        bounded = _bounded_overlap_rule(limits.max_comparisons)
        self._rules: list[type[ASTValidationRule]] = [
            bounded if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules
        ]

    def read(self, source: str) -> Document:
        """The document of a text; raises `RequestError` naming each reason why there is none."""
        try:
            ast = self._parse(source)
            judgement = judge(ast, self._limits)
            if judgement.errors:
                raise RequestError(Refusal.LIMIT, judgement.errors)
            self._validate(ast)
        except RecursionError:
            raise _nested_too_deeply() from None
        nodes = [node for node in ast.definitions if isinstance(node, OperationDefinitionNode)]
        operations = {
            (name := node.name.value if node.name else None): Operation(name, node.operation, node, measure)
            for node, measure in zip(nodes, judgement.measures, strict=True)
        }
        return Document(source, ast, operations)

    def _parse(self, source: str) -> DocumentNode:
        limits = self._limits
        if len(source) > limits.max_source_length:
            raise RequestError.of(
                Refusal.LIMIT,
                "QUERY_TOO_LONG",
                f"The document has {len(source)} characters, the limit is {limits.max_source_length}; "
                "send values as variables or split it into several requests.",
            )
        try:
            return parse(source, max_lexical_tokens=limits.max_tokens, max_comments=limits.max_tokens)
        except GraphQLSyntaxError as error:
            refusal = self._reading_limit(error)
            if refusal is None:
                refusal = RequestError(Refusal.SYNTAX, [with_code(error, "GRAPHQL_PARSE_FAILED")])
        raise refusal

    def _reading_limit(self, error: GraphQLSyntaxError) -> RequestError | None:
        """The parser reports its own limits as syntax errors; they are told apart by their text alone."""
        if error.description.startswith("Document is nested too deeply"):
            return _nested_too_deeply()
        if error.description.startswith("Document contains more than"):
            return RequestError.of(
                Refusal.LIMIT,
                "QUERY_TOO_MANY_TOKENS",
                f"The document has more than {self._limits.max_tokens} tokens or comments; "
                "select fewer fields, use fragments or split it into several requests.",
            )
        return None

    def _validate(self, ast: DocumentNode) -> None:
        max_errors = self._limits.max_errors
        errors = validate(self._schema, ast, self._rules, max_errors=max_errors)
        if not errors:
            errors = validate(self._schema, ast, _STRAWBERRY_RULES, max_errors=max_errors)
        if not errors:
            return
        # graphql-core stops when a document would take it too long to check, and says no more than that.
        if errors[-1].message == "Validation aborted.":
            raise RequestError.of(
                Refusal.LIMIT,
                "QUERY_TOO_COMPLEX",
                "The document repeats the same fields too often to be checked; write each once per object.",
            )
        raise RequestError(Refusal.VALIDATION, [with_code(e, "GRAPHQL_VALIDATION_FAILED") for e in errors])


def _nested_too_deeply() -> RequestError:
    return RequestError.of(
        Refusal.LIMIT, "QUERY_TOO_DEEP", "The document is nested too deeply to be read; nest fewer levels."
    )


def _bounded_overlap_rule(budget: int) -> type[ASTValidationRule]:
    """The rule that takes quadratic time, on a budget; graphql-core's own is worth about a second of CPU."""

    class BoundedOverlappingFieldsCanBeMergedRule(OverlappingFieldsCanBeMergedRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self.rule_context.remaining_complexity_budget = budget

    return BoundedOverlappingFieldsCanBeMergedRule


class _OneOfInputRule(OneOfInputValidationRule):
    """Strawberry's rule knows the variables of the operation read last, and fails on a fragment written
    before any.

    Here a fragment sees the variables of all operations. It runs after the specified rules found no undefined
    ones.
    """

    def __init__(self, validation_context: ValidationContext) -> None:
        super().__init__(validation_context)
        self._all: dict[str, VariableDefinitionNode] = {
            variable.variable.name.value: variable
            for node in validation_context.document.definitions
            if isinstance(node, OperationDefinitionNode)
            for variable in node.variable_definitions or ()
        }
        self.variable_definitions = self._all

    def enter_fragment_definition(self, *_: Any) -> None:
        self.variable_definitions = self._all


_STRAWBERRY_RULES: list[type[ASTValidationRule]] = [MaybeNullValidationRule, _OneOfInputRule]


class DocumentCache:
    """Documents by their text, the least recently used dropped first.

    Bounded by entries and by characters: those of the texts, because a syntax tree takes memory in proportion to its
    text, and those charged for what was compiled of them. Only documents that may be run are kept: a stream of
    refused ones changes nothing.
    """

    def __init__(self, max_entries: int = 500, max_characters: int = 250_000) -> None:
        self._max_entries = max_entries
        self._max_characters = max_characters
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._charges: dict[str, int] = {}
        self.characters = 0

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, source: str) -> Document | None:
        """The document of this text, now the most recently used; None if it is not kept."""
        document = self._documents.get(source)
        if document is not None:
            self._documents.move_to_end(source)
        return document

    def put(self, document: Document) -> None:
        """Keep a document, dropping older ones for it."""
        if len(document.source) > self._max_characters or document.source in self._documents:
            return
        self._documents[document.source] = document
        self._charges[document.source] = 0
        self.charge(document, len(document.source))

    def charge(self, document: Document, characters: int) -> None:
        """Count what a kept document has grown by, dropping the least recently used ones for it."""
        if self._documents.get(document.source) is not document:
            return
        self._charges[document.source] += characters
        self.characters += characters
        while len(self._documents) > self._max_entries or self.characters > self._max_characters:
            source, _ = self._documents.popitem(last=False)
            self.characters -= self._charges.pop(source)
