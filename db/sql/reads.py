"""Reads: Core statements and the records that their rows become, for readers and inside write transactions alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Column, Dialect, Select, Table, bindparam, func

from db.sql.compiled import SQLITE, Compiled, compile_statement
from db.sql.types import among, text_list
from domain.short_id import ShortId

R = TypeVar("R")
Row = Sequence[Any]
Ranks = Mapping[ShortId, int]
Definitions = Mapping[Any, Any]
"""What the last column of a statement names, by its values."""
Owners = Sequence[ShortId]
"""The organisations of whoever reads: `metadata` of a record that another one owns are their notes, and come empty."""


class Built(NamedTuple, Generic[R]):
    """A statement for one driver, and the function that makes its records of the driver's rows."""

    statement: Compiled
    records: Callable[[Sequence[Row], Definitions | None, Owners], list[R]]
    columns: Sequence[str | None]


class Read(Generic[R]):
    """A statement and the records that its rows become.

    `build` is a record, whose members are the columns in their order, or a function that takes the row. Where `defined`
    is set, to the name of a kind of definitions (see `db.definitions.fetch`), the last column is looked up among those
    that the read is given when it runs, and `build` takes what was found. `ranked` rows come in the order of their
    definitions. `scans` marks a read whose work is not bounded by its answer.
    """

    def __init__(
        self,
        select: Select[Any],
        build: Callable[..., R],
        *,
        defined: str = "",
        ranked: bool = False,
        scans: bool = False,
        names: frozenset[str] | None = None,
    ) -> None:
        self.select = select
        self.build = build
        self.defined = defined
        self.ranked = ranked
        self.scans = scans
        self._names = names
        self.compiled = lru_cache(maxsize=4)(self._compile)
        self._narrowed: Callable[[frozenset[str]], Read[R]] = lru_cache(maxsize=64)(self._narrow)

    def narrowed(self, names: frozenset[str] | None) -> "Read[R]":
        """The same read of these columns alone, and of the definition; None stands for all columns.

        Half of what a row costs is fetching and converting what nobody looks at. The other members of the records are
        None. `build` must be a record.
        """
        return self if names is None else self._narrowed(names)

    def _narrow(self, names: frozenset[str]) -> "Read[R]":
        return Read(self.select, self.build, defined=self.defined, scans=self.scans, names=names)

    def of_other(self, select: Select[Any], *, scans: bool) -> "Read[R]":
        """The read of the same columns by another select."""
        return Read(select, self.build, defined=self.defined, ranked=self.ranked, scans=scans, names=self._names)

    def _part(self, select: Select[Any]) -> tuple[Select[Any], list[bool]]:
        """The select of those of its columns that are read, and of each whether it is."""
        columns = [*select.selected_columns]
        if self._names is None:
            return select, [True] * len(columns)
        # Whose notes they are says whether they are shown.
        names = self._names | {"organization_id"} if "metadata" in self._names else self._names
        kept = [column.key in names for column in columns]
        # A statement has at least one column.
        kept[-1] = kept[-1] or bool(self.defined) or not any(kept)
        part = (column for column, keep in zip(columns, kept, strict=True) if keep)
        return select.with_only_columns(*part), kept

    def _compile(self, dialect: Dialect, lock: Table | None = None) -> Built[R]:
        select, kept = self._part(self.select)
        statement = compile_statement(select if lock is None else select.with_for_update(of=lock), dialect)
        keys = [column.key for column in select.selected_columns]
        return Built(statement, _builder(self.build, statement.converts, keys, kept, defined=bool(self.defined)), keys)


class KeyedRead(Read[R]):
    """A read of the rows whose `key`, a column, is among `keys`; `one` reads those of a single `key`.

    That takes half the time on SQLite, where no list need be unfolded. `Database.fetch` chooses it for a list of one.
    `alone` is the same select as one that knows its single key; if left out, `select` does.
    """

    _narrowed: Callable[[frozenset[str]], "KeyedRead[R]"]

    def __init__(
        self,
        select: Select[Any],
        key: Column[Any],
        build: Callable[..., R],
        *,
        defined: str = "",
        ranked: bool = False,
        names: frozenset[str] | None = None,
        alone: Select[Any] | None = None,
    ) -> None:
        # By their keys the rows are told apart.
        names = None if names is None else names | {key.key}
        more: dict[str, Any] = {"defined": defined, "ranked": ranked, "names": names}
        super().__init__(select.where(among(key, "keys")), build, **more)
        self.key = key.key
        self.sharded = "gtin" in key.table.primary_key.columns
        """Whether its rows lie on several servers where tables are sharded."""
        alone = select if alone is None else alone
        self._whole = select, key, alone
        self.one = Read(alone.where(key == bindparam("key")), build, **more)

    def narrowed(self, names: frozenset[str] | None) -> "KeyedRead[R]":
        """As of any read; the key is read besides."""
        return self if names is None else self._narrowed(names)

    def _narrow(self, names: frozenset[str]) -> "KeyedRead[R]":
        select, key, alone = self._whole
        return KeyedRead(select, key, self.build, defined=self.defined, ranked=self.ranked, names=names, alone=alone)

    @cached_property
    def of_one(self) -> Compiled:
        """For SQLite: the rows of one key."""
        return self.one.compiled(SQLITE).statement

    @cached_property
    def as_json(self) -> Compiled:
        """For SQLite: the rows of several keys as a JSON text for each column.

        Python's module locks and unlocks both sides for each value that it gets, which takes longer than all else.
        """
        whole, key, _ = self._whole
        select, _ = self._part(whole)
        columns = [func.json_group_array(column) for column in select.selected_columns]
        # What is `among` others would be sorted first, which takes a tenth of the whole.
        each = func.json_each(text_list("keys")).table_valued("value")
        return compile_statement(select.with_only_columns(*columns).where(key == each.c.value), SQLITE)

    def of(self, keys: Sequence[Any]) -> tuple[Read[R], dict[str, Any]]:
        """What to run for those keys, and the values that it takes."""
        return (self.one, {"key": keys[0]}) if len(keys) == 1 else (self, {"keys": keys})


def _is_owned(build: Callable[..., Any]) -> bool:
    """Whether it makes records with notes of the organisation that owns them."""
    return {"organization_id", "metadata"} <= set(getattr(build, "__struct_fields__", ()))


def _builder(
    build: Callable[..., R],
    converts: Sequence[Callable[[Any], Any] | None],
    keys: Sequence[str | None],
    kept: Sequence[bool],
    *,
    defined: bool,
) -> Callable[[Sequence[Row], Definitions | None, Owners], list[R]]:
    """A function from rows to records: one expression for all columns, three times as fast as a loop over them.

    For three columns, of which the second is converted and the last is a definition's id, it reads:
    `lambda rows, found, owners: [build(v0, None if v1 is None else convert1(v1), found[v2]) for v0, v1, v2, in rows]`.
    Where a column is not `kept`, the record has None. Metadata are made for their owners alone, here, so that no
    read can show them to others.
    """
    names = "".join(f"v{index}, " for index in range(len(converts)))
    values = [
        f"v{index}" if convert is None else f"None if v{index} is None else convert{index}(v{index})"
        for index, convert in enumerate(converts)
    ]
    if defined:
        values[-1] = f"found[{values[-1]}]"
    if _is_owned(build) and "metadata" in keys:
        notes, owner = keys.index("metadata"), keys.index("organization_id")
        values[notes] = f"({values[notes]}) if v{owner} in owners else {{}}"
    read = iter(values)
    arguments = ", ".join(next(read) if keep else "None" for keep in kept)
    if not (isinstance(build, type) and issubclass(build, msgspec.Struct)):
        arguments = f"({arguments},)"
    functions = {f"convert{index}": convert for index, convert in enumerate(converts)}
    made: Callable[[Sequence[Row], Definitions | None, Owners], list[R]] = eval(  # noqa: S307 - made of numbers alone
        f"lambda rows, found, owners: [build({arguments}) for {names} in rows]",
        {"build": build, **functions},
    )
    return made
