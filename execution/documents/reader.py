"""From the text of a request to a document that may be run.

Everything that depends on the text alone happens here once: reading, judging by the limits, validating, listing the
operations.
"""

from typing import cast

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

from execution.documents.certain import QuickPass
from execution.documents.cost import OperationCost
from execution.documents.cost_model import CostModel
from execution.documents.document import (
    Document,
    Operation,
    check_length,
    check_measures,
    nested_too_deeply,
    too_many_tokens,
)
from execution.documents.limits import DocumentLimits
from execution.documents.literals import Literals, Slots, with_variables
from execution.documents.measure import Measured, measure_document
from execution.documents.rules import STRAWBERRY_RULES, rules
from execution.errors import Refusal, RequestError, with_code


class DocumentReader:
    """Reads, judges and validates documents for one schema.

    Without `introspection`, documents that ask for the schema are refused, and no error suggests a name from it.
    """

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits, *, introspection: bool = True) -> None:
        self._schema = schema
        self._limits = limits
        self._introspection = introspection
        self._costs = CostModel(schema)
        self._rules = rules(limits.max_comparisons, introspection=introspection)
        self._quick_pass = QuickPass(schema, limits.max_comparisons)

    def read(self, source: str, limits: DocumentLimits | None = None) -> Document:
        """The document of a text; raises `RequestError` naming each reason why there is none.

        `limits` are those of whoever sent it, instead of the usual ones.
        """
        limits = limits or self._limits
        try:
            ast = _parse(source, limits)
            measured = measure_document(ast)
            check_measures(measured, limits)
            _refuse_subscriptions(measured)
            self._validate(ast)
        except RecursionError:
            raise nested_too_deeply() from None
        return Document(source, ast, self._operations(ast, measured), measured, limits)

    def _operations(self, ast: DocumentNode, measured: Measured) -> dict[str | None, Operation]:
        fragments = {d.name.value: d for d in ast.definitions if isinstance(d, FragmentDefinitionNode)}
        operations: dict[str | None, Operation] = {}
        for definition in measured.operations:
            node = cast("OperationDefinitionNode", definition.node)
            name = node.name.value if node.name else None
            cost = OperationCost(self._costs, fragments, node)
            operations[name] = Operation(name, node.operation, node, definition.measure, cost)
        return operations

    def alike(self, like: Document, source: str, literals: Literals) -> Document | None:
        """The document of a text that differs from that of another only in literals; None if it has to be read."""
        if like.template is None:
            like.template = self._template(like)
        template, slots = like.template
        values = slots.values(literals)
        if values is None:
            return None
        return Document(
            source, template.ast, template.operations, template.measured, like.limits, like=like, literals=values
        )

    def _template(self, document: Document) -> tuple[Document, Slots]:
        ast, slots = with_variables(self._schema, document.ast, document.source)
        measured = measure_document(ast)
        if any(each.measure.introspection_depth for each in measured.operations):
            # It is not compiled, and graphql-core knows nothing of our variables.
            slots = Slots((), ())
        return Document(document.source, ast, self._operations(ast, measured), measured, document.limits), slots

    def _validate(self, ast: DocumentNode) -> None:
        if self._quick_pass.is_certain(ast):
            return
        errors = self._errors(ast, self._rules) or self._errors(ast, STRAWBERRY_RULES)
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
    check_length(source, limits)
    try:
        # Empty selections are a proposal (graphql-spec 1227): nobody reads what `{ viewer {} }` or a change answers.
        ast = parse(
            source,
            max_lexical_tokens=limits.max_tokens,
            max_comments=limits.max_tokens,
            allow_empty_selection_sets=False,
        )
        # Without the way back there are no circles in it, which only the garbage collector could free.
        token = ast.loc and ast.loc.start_token
        while token:
            token.prev, token = None, token.next
        return ast
    except GraphQLSyntaxError as error:
        # The parser reports its own limits as syntax errors; they are told apart by their text alone.
        if error.description.startswith("Document is nested too deeply"):
            refusal = nested_too_deeply()
        elif error.description.startswith("Document contains more than"):
            refusal = too_many_tokens(limits)
        else:
            refusal = RequestError(Refusal.SYNTAX, [with_code(error, "GRAPHQL_PARSE_FAILED")])
    raise refusal


def _refuse_subscriptions(measured: Measured) -> None:
    """Before a schema without any calls the operation invalid, which is true and tells nobody what to do."""
    for definition in measured.operations:
        if cast("OperationDefinitionNode", definition.node).operation is OperationType.SUBSCRIPTION:
            raise RequestError.of(
                Refusal.OPERATION,
                "SUBSCRIPTION_NOT_SUPPORTED",
                "Subscriptions are not answered by this endpoint; send a query and ask again later.",
            )
