"""From the text of a request to a document that may be run, and the cache of such documents.

Everything that depends on the text alone happens here once: reading, judging by the limits, validating,
listing the operations. Validation costs many times what running a short query costs, so documents are
remembered.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    ASTValidationRule,
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    ListValueNode,
    NoSchemaIntrospectionCustomRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    StreamDirectiveOnListField,
    Token,
    TokenKind,
    ValidationContext,
    VariableDefinitionNode,
    VariablesInAllowedPositionRule,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from execution.cost import CostModel, OperationCost
from execution.errors import Refusal, RequestError, with_code
from execution.limits import MAX_ITEMS, DocumentLimits, Judgement, Measure, judge
from execution.programs import Programs

MAX_SUGGESTIONS = 5
"""Errors for which names are suggested: finding those that are alike takes two milliseconds an error."""


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
    judgement: Judgement
    limits: DocumentLimits
    """Those that it was last found to be within."""

    def accept(self, limits: DocumentLimits) -> None:
        """Make sure that it is within these limits too. Raises `RequestError`."""
        if limits is self.limits:
            return
        _check_length(self.source, limits)
        if limits.max_tokens < self.limits.max_tokens and _most_tokens(self.ast) > limits.max_tokens:
            raise _too_many_tokens(limits)
        errors = self.judgement.refusals(limits)
        if errors:
            raise RequestError(Refusal.LIMIT, errors)
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


class DocumentReader:
    """Reads, judges and validates documents for one schema.

    Without `introspection`, documents that ask for the schema are refused, and no error suggests a name from it.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, *, introspection: bool = True) -> None:
        self._schema = schema
        self._limits = limits
        self._introspection = introspection
        self._costs = CostModel(schema)
        bounded = _bounded_overlap_rule(limits.max_comparisons)
        self._rules: list[type[ASTValidationRule]] = [
            bounded if rule is OverlappingFieldsCanBeMergedRule else rule
            for rule in specified_rules
            if rule not in _NEVER_NEEDED
        ]
        self._rules += [_FewSuggestionsRule, _ShortListsRule]
        if not introspection:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._rules_without_variables = [rule for rule in self._rules if rule not in _ABOUT_VARIABLES]

    def read(self, source: str, limits: DocumentLimits | None = None) -> Document:
        """The document of a text; raises `RequestError` naming each reason why there is none.

        `limits` are those of whoever sent it, instead of the usual ones.
        """
        limits = limits or self._limits
        try:
            ast = _parse(source, limits)
            judgement = judge(ast, limits)
            if judgement.errors:
                raise RequestError(Refusal.LIMIT, judgement.errors)
            _refuse_subscriptions(judgement)
            self._validate(source, ast)
            fragments = {d.name.value: d for d in ast.definitions if isinstance(d, FragmentDefinitionNode)}
            operations: dict[str | None, Operation] = {}
            for definition in judgement.operations:
                node = cast("OperationDefinitionNode", definition.node)
                name = node.name.value if node.name else None
                cost = OperationCost(self._costs, fragments, node)
                operations[name] = Operation(name, node.operation, node, definition.measure, cost)
        except RecursionError:
            raise _nested_too_deeply() from None
        return Document(source, ast, operations, judgement, limits)

    def _validate(self, source: str, ast: DocumentNode) -> None:
        # Where nothing looks like a variable, there is none.
        rules = self._rules if "$" in source else self._rules_without_variables
        errors = self._errors(ast, rules) or self._errors(ast, _STRAWBERRY_RULES)
        if not errors:
            return
        # graphql-core stops when a document would take it too long to check, and says no more than that.
        if errors[-1].message == "Validation aborted.":
            raise RequestError.of(
                Refusal.LIMIT,
                "QUERY_TOO_COMPLEX",
                "The document repeats the same fields too often to be checked; write each once per object.",
            )
        raise RequestError(
            Refusal.VALIDATION, [with_code(_about_the_text(e), "GRAPHQL_VALIDATION_FAILED") for e in errors]
        )

    def _errors(self, ast: DocumentNode, rules: list[type[ASTValidationRule]]) -> list[GraphQLError]:
        max_errors = self._limits.max_errors
        return validate(self._schema, ast, rules, max_errors=max_errors, hide_suggestions=not self._introspection)


def _about_the_text(error: GraphQLError) -> GraphQLError:
    """The error, unless it quotes an exception that Python raised over a literal, such as a number of 5,000 digits."""
    if error.original_error is None or isinstance(error.original_error, GraphQLError):
        return error
    return GraphQLError("This value cannot be read as what its place asks for; correct it.", error.nodes)


def _parse(source: str, limits: DocumentLimits) -> DocumentNode:
    _check_length(source, limits)
    try:
        # Empty selections are a proposal (graphql-spec 1227): nobody reads what `{ viewer {} }` or a change answers.
        return parse(
            source,
            max_lexical_tokens=limits.max_tokens,
            max_comments=limits.max_tokens,
            allow_empty_selection_sets=False,
        )
    except GraphQLSyntaxError as error:
        # The parser reports its own limits as syntax errors; they are told apart by their text alone.
        if error.description.startswith("Document is nested too deeply"):
            refusal = _nested_too_deeply()
        elif error.description.startswith("Document contains more than"):
            refusal = _too_many_tokens(limits)
        else:
            refusal = RequestError(Refusal.SYNTAX, [with_code(error, "GRAPHQL_PARSE_FAILED")])
    raise refusal


def _refuse_subscriptions(judgement: Judgement) -> None:
    """Before a schema without any calls the operation invalid, which is true and tells nobody what to do."""
    for definition in judgement.operations:
        if cast("OperationDefinitionNode", definition.node).operation is OperationType.SUBSCRIPTION:
            raise RequestError.of(
                Refusal.OPERATION,
                "SUBSCRIPTION_NOT_SUPPORTED",
                "Subscriptions are not answered by this endpoint; send a query and ask again later.",
            )


def _check_length(source: str, limits: DocumentLimits) -> None:
    if len(source) > limits.max_source_length:
        raise RequestError.of(
            Refusal.LIMIT,
            "QUERY_TOO_LONG",
            f"The document has {len(source)} characters, the limit is {limits.max_source_length}; "
            "send values as variables or split it into several requests.",
        )


def _too_many_tokens(limits: DocumentLimits) -> RequestError:
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


class _FewSuggestionsRule(ASTValidationRule):
    """Ends the search for names that are alike once enough errors have suggested some."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        report, left = context.on_error, MAX_SUGGESTIONS

        def counted(error: GraphQLError) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                context._hide_suggestions = True  # noqa: SLF001 - graphql-core has no other way in
            report(error)

        context.on_error = counted  # type: ignore[method-assign]


class _ShortListsRule(ASTValidationRule):
    """Refuses lists of more items than variables may have."""

    def enter_list_value(self, node: ListValueNode, *_: Any) -> None:
        if len(node.values) > MAX_ITEMS:
            message = f"This list has {len(node.values)} items, the limit is {MAX_ITEMS}; send fewer in one request."
            self.report_error(GraphQLError(message, node))


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


# About directives that no schema of ours has: a document that uses them is refused for not knowing them.
_NEVER_NEEDED = frozenset(
    {
        DeferStreamDirectiveLabel,
        DeferStreamDirectiveOnRootField,
        DeferStreamDirectiveOnValidOperationsRule,
        StreamDirectiveOnListField,
    }
)
# These three walk the document once more.
_ABOUT_VARIABLES = frozenset({NoUndefinedVariablesRule, NoUnusedVariablesRule, VariablesInAllowedPositionRule})
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
