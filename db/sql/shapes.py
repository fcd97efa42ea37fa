"""From rows straight to what an answer has in their place, without records in between: one function for a shape.

The rows of products of which the GTIN, the brand and what they hold are asked for become, by a function that reads:

    def fill(rows, found, owners, today, into, below):
     below0 = below[0].setdefault
     for v0, v1, in rows:
      into[v0].append({'gtin': v0, 'brand': v1, 'certifications': below0(v0, [])})

Another call fills the lists that this one leaves in `below`. What records would hold, nobody's notes but one's own and
no more of the definitions than may be seen, holds here, too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Dialect

from db.sql.reads import Definitions, KeyedRead, Owners, Read, Row
from domain.publishable import PRIVATE_MEMBERS

Into = dict[Any, Any]
"""By key: the list that the rows of that key become, or the `One`."""
Fill = Callable[[Sequence[Row], Definitions | None, Owners, date, Into, Sequence[Into]], None]


Form = tuple[Dialect, bool]
"""Whose rows they are, and whether what nobody sees with a publishable key is left out."""


class RowShape(Protocol):
    """What becomes of a row."""

    @property
    def members(self) -> frozenset[str]:
        """The members of the record that it takes."""

    @property
    def prepared(self) -> dict[Any, Any]:
        """What was made of it here."""

    def write(self, row: "ShapedRow") -> str:
        """The expression for it."""


class PageForm(Protocol):
    """A shape for the items of a page; `below` is where the lists go that other reads fill, `reader` who reads."""

    @property
    def reader(self) -> Any:
        """As of `db.definitions.fill`."""

    @property
    def shape(self) -> RowShape:
        """What becomes of a row."""

    @property
    def below(self) -> Sequence[Into]:
        """What to put the lists of each child into."""


class One(dict[str, Any]):
    """What becomes of the only row of a key; empty until it is read, or where there is none."""

    append = dict.update


class ShapedRow:
    """A row as the expressions of a shape see it."""

    def __init__(self, read: Read[Any], dialect: Dialect, *, public: bool) -> None:
        built = read.compiled(dialect)
        self._columns = [*built.columns]
        self._converts = built.statement.converts
        self._public = public
        self.before: list[str] = []
        """What is done before the first row."""
        self.names: dict[str, Any] = {}
        self._is_found = False

    def name(self, value: Any) -> str:
        """What it is called by in expressions."""
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name

    def member(self, name: str, output: Callable[[Any], Any] | None = None) -> str:
        """A member, put out by the function or table that `output` makes of the driver's conversion, if any."""
        value = f"v{self._columns.index(name)}"
        if self._public and name in PRIVATE_MEMBERS:
            return self.name(PRIVATE_MEMBERS[name])
        convert = self._converts[self._columns.index(name)]
        value = self._put_out(value, convert if output is None else output(convert))
        # The notes of their owner.
        return (
            f"({value} if v{self._columns.index('organization_id')} in owners else {{}})"
            if name == "metadata"
            else value
        )

    def computed(self, made: Any, output: Callable[[Any], Any] | None = None) -> str:
        """What a function makes of members, put out as those are (see `execution.markers.Computed`)."""
        given = [self.member(each) if isinstance(each, str) else self.computed(each) for each in made.members]
        call = f"{self.name(made.function)}({', '.join([*given, *['today'] * made.on_day])})"
        return call if output is None else self._put_out(call, output(None))

    def _put_out(self, value: str, output: Any) -> str:
        if isinstance(output, Mapping):
            return f"{self.name(output)}[{value}]"
        if output is None:
            return value
        return f"None if (x := {value}) is None else {self.name(output)}(x)"

    def definition(self, table: Any) -> str:
        """What `table.of(definitions)` has for the definition of the row."""
        name = self.name(table)
        self.before.append(f"{name}_ = {name}.of(found)")
        return f"{name}_[v{len(self._columns) - 1}]"

    def of_definition(self, name: str) -> str:
        """An attribute of the definition of the row."""
        found = "definition" if self._is_found else f"(definition := found[v{len(self._columns) - 1}])"
        self._is_found = True
        return f"{found}.{name}"

    def child(self, number: int, key: str, *, one: bool = False) -> str:
        """The list that another read, the one of that number below this one, fills with the rows of this key.

        The `One` instead where it is `one` row.
        """
        self.before.append(f"below{number} = below[{number}].setdefault")
        return f"below{number}({self.member(key)}, {self.name(One) + '()' if one else '[]'})"


def shaped(read: Read[Any], shape: RowShape, form: Form, more: frozenset[str] = frozenset()) -> tuple[Read[Any], Fill]:
    """The read of no more than a shape needs and `more`, and the function that fills lists with what it makes of rows.

    The lists are those of the rows' keys, or one under None where the read has no key. The shape remembers the
    function, which is the same for all reads of the same columns.
    """
    part = read.narrowed(shape.members | more)
    fill = shape.prepared.get((form, more))
    if fill is None:
        fill = shape.prepared[form, more] = _fill(part, shape, form)
    return part, fill


def _fill(read: Read[Any], shape: RowShape, form: Form) -> Fill:
    dialect, public = form
    row = ShapedRow(read, dialect, public=public)
    key, made = row.member(read.key) if isinstance(read, KeyedRead) else None, shape.write(row)
    values = "".join(f"v{index}, " for index in range(len(read.compiled(dialect).columns)))
    lines = [*row.before, f"for {values}in rows:", f" into[{key}].append({made})"]
    source = "\n ".join(["def fill(rows, found, owners, today, into, below):", *lines])
    exec(source, row.names)  # noqa: S102 - names of members and numbers; the shape quotes what a document says
    fill: Fill = row.names["fill"]
    return fill
