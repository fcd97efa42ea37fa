"""Relations resolved for all parents of one level at once.

A relation is written as a function from the list of parents to the list of their results, in the same order:

    @strawberry.type
    class Product:
        gtin: str

        @batched(description="Certifications held by this product.")
        @staticmethod
        async def certifications(
            parents: list[ProductRecord], info: strawberry.Info, active: bool | None = None
        ) -> list[list[CertificationAssignment]]: ...

To Strawberry this is an ordinary field of type `list[CertificationAssignment]` with one argument. A compiled operation
calls `BatchedField.batch_function` once per level. Under graphql-core, Strawberry's own loader gathers the calls for
single parents; it may need several calls where parents hang under lists of different length.

The function is a static method because its first parameter is a list of parents, never `self`. It may leave
out `info`, which is that of the first parent. The list may hold the same parent more than once, and parents
may be of any type, hashable or not. An exception raised by the function fails the field for every parent; an
`Exception` put into the result list fails it for that parent alone (the return annotation is then
`list[X | Exception]`).
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property, update_wrapper
from types import UnionType
from typing import Any, Protocol, TypeAlias, Union, cast, get_args, get_origin

from strawberry.annotation import StrawberryAnnotation
from strawberry.dataloader import DataLoader
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.info import Info
from strawberry.types.maybe import Some

BatchFunction: TypeAlias = Callable[..., Awaitable[Sequence[Any]]]


class HasLoaders(Protocol):
    """What `batched` asks of the context."""

    @property
    def loaders(self) -> dict[Any, Any]:
        """A dictionary of this one operation, empty at its start and left alone by everyone else."""


class BatchLengthError(RuntimeError):
    """A batch function returned more or fewer results than it was given parents."""


class _ElementAnnotation(StrawberryAnnotation):
    """The annotation of one parent's result, taken out of the batch function's `list[...]`.

    Evaluated as late as Strawberry's own annotations, so forward references and lazy types work.
    """

    __slots__ = ()

    def evaluate(self) -> type:
        outer = super().evaluate()
        arguments = get_args(outer)
        if not arguments or not issubclass(get_origin(outer) or object, Sequence):
            raise TypeError(
                f"A batched function returns a list with one result per parent, not {self.raw_annotation!r}; "
                "annotate it as list[...] of the field's type."
            )
        element = arguments[0]
        if isinstance(element, str):
            element = StrawberryAnnotation(element, namespace=self.namespace).evaluate()
        return cast(type, _without_exceptions(element))


def _without_exceptions(annotation: Any) -> Any:
    """`X | NotFound` -> `X`: exceptions in the result list are refusals, not values of the field."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    kept = [
        member
        for member in get_args(annotation)
        if not (isinstance(member, type) and issubclass(member, BaseException))
    ]
    return Union[tuple(kept)]  # noqa: UP007 - built from a tuple at run time


class BatchedResolver(StrawberryResolver[Any]):
    """A resolver for one parent whose calls are gathered into calls of the batch function."""

    @cached_property
    def type_annotation(self) -> StrawberryAnnotation | None:
        """The type of one parent's result."""
        annotation = self.signature.return_annotation
        if annotation is inspect.Signature.empty:
            return None
        return _ElementAnnotation(annotation, namespace=self._namespace)


class BatchedField(StrawberryField):
    """A Strawberry field that knows how to resolve itself for many parents at once."""

    @cached_property
    def batch_function(self) -> BatchFunction:
        """The function as written: `(parents, [info,] **arguments)` to results in the same order."""
        resolver = cast(StrawberryResolver[Any], self.base_resolver)
        return cast(BatchFunction, resolver.wrapped_func.__wrapped__)  # type: ignore[union-attr]

    @cached_property
    def takes_info(self) -> bool:
        """Whether `batch_function` has a parameter named `info`."""
        return "info" in inspect.signature(self.batch_function).parameters


def batched(
    *,
    name: str | None = None,
    description: str | None = None,
    deprecation_reason: str | None = None,
    metadata: Mapping[Any, Any] | None = None,
) -> Callable[[BatchFunction], BatchedField]:
    """Make a field of a function from all parents of a level to their results (see the module's text).

    `name`, `description`, `deprecation_reason` and `metadata` are those of any Strawberry field; arguments are
    described with `Annotated[..., strawberry.argument(description=...)]`. Raises `TypeError` when the function cannot
    be one.
    """

    def field_of(function: BatchFunction) -> BatchedField:
        field = BatchedField(
            graphql_name=name, description=description, deprecation_reason=deprecation_reason, metadata=metadata
        )
        return field(BatchedResolver(_resolver_for_one_parent(function)))

    return field_of


def _resolver_for_one_parent(function: BatchFunction) -> Callable[..., Awaitable[Any]]:
    if isinstance(function, staticmethod):
        function = function.__func__
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if not parameters or parameters[0].name in ("self", "cls", "root", "info"):
        raise TypeError(
            f"{function.__qualname__} must take the list of all parents as its first parameter; "
            "put @staticmethod below @batched and name it `parents`."
        )
    takes_info = "info" in signature.parameters

    async def resolve(root: Any, info: Info, **arguments: Any) -> Any:
        return await _loader(function, takes_info, info, arguments).load((root, info))

    keyword = inspect.Parameter.KEYWORD_ONLY
    arguments = [p.replace(kind=keyword) for p in parameters[1:] if p.name != "info"]
    resolve.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[
            inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Any),
            inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
            *arguments,
        ]
    )
    # Strawberry evaluates annotations in the module of the resolver and shows its name in error messages.
    update_wrapper(resolve, function, ("__module__", "__name__", "__qualname__", "__doc__"), ())
    resolve.__annotations__ = {p.name: p.annotation for p in arguments} | {"return": signature.return_annotation}
    return resolve


def _loader(function: BatchFunction, takes_info: bool, info: Info, arguments: dict[str, Any]) -> DataLoader[Any, Any]:
    """Gathers the parents of one field with one set of arguments in one operation."""
    context: HasLoaders = info.context
    key = (function, frozen(arguments))
    loader: DataLoader[Any, Any] | None = context.loaders.get(key)
    if loader is None:

        async def load(asked: list[tuple[Any, Info]]) -> Sequence[Any]:
            keywords = {**arguments, "info": asked[0][1]} if takes_info else arguments
            try:
                return await call_batch(function, [parent for parent, _ in asked], keywords)
            except asyncio.CancelledError as error:
                # The loader would let the fields wait for ever.
                return [error] * len(asked)

        # Without its cache: a field read after a mutation is read again.
        loader = context.loaders[key] = DataLoader(load, cache=False)
    return loader


async def call_batch(function: BatchFunction, parents: list[Any], arguments: dict[str, Any]) -> Sequence[Any]:
    """The results of a batch function, one for each parent. Raises `BatchLengthError`, or what the function raises."""
    results = await function(parents, **arguments)
    if len(results) != len(parents):
        raise BatchLengthError(
            f"{function.__qualname__} returned {len(results)} results for {len(parents)} "
            "parents; return exactly one per parent, in their order."
        )
    return results


def frozen(value: Any) -> Hashable:
    """A hashable stand-in for a coerced argument value; equal stand-ins mean the same question."""
    if isinstance(value, dict):
        return tuple((name, frozen(value[name])) for name in sorted(value, key=str))
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value), *(frozen(getattr(value, field.name)) for field in fields(value)))
    if isinstance(value, Some):
        return (Some, frozen(value.value))
    try:
        hash(value)
    except TypeError:
        # The value lives as long as the level it belongs to, so its address is not used twice.
        return (type(value), id(value))
    return (type(value), value)
