"""The rules of validation: those of graphql-core and Strawberry, on a budget where they would take too long."""

from typing import Any

from graphql import (
    ASTValidationRule,
    GraphQLError,
    ListValueNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    VariableDefinitionNode,
    specified_rules,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from execution.documents.limits import MAX_ITEMS

MAX_SUGGESTIONS = 5
"""Errors for which names are suggested: finding those that are alike takes two milliseconds an error."""


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


STRAWBERRY_RULES: list[type[ASTValidationRule]] = [MaybeNullValidationRule, _OneOfInputRule]


def rules(max_comparisons: int, *, introspection: bool) -> list[type[ASTValidationRule]]:
    """Those of graphql-core, with `max_comparisons` steps for comparing fields of one name."""
    bounded = _bounded_overlap_rule(max_comparisons)
    found: list[type[ASTValidationRule]] = [
        bounded if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules
    ]
    found += [_FewSuggestionsRule, _ShortListsRule]
    if not introspection:
        found.append(NoSchemaIntrospectionCustomRule)
    return found
