"""What the days in JSON columns of assignments say of a day: see `domain.validity.Days`."""

from typing import Any

from sqlalchemy import FromClause
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement

from db.sql.types import Sentence
from domain.halts import REINSTATED, RENEWED
from domain.vocabulary import Standing


class Covered(Sentence):
    """Whether a day lies in one of the spans, whose ends are at that place."""

    inherit_cache = False

    def __init__(self, spans: ColumnElement[Any], end: int, day: ColumnElement[Any]) -> None:
        super().__init__(spans, day)
        self.end = end


class Halted(Sentence):
    """Whether what was said last of a day is one of these standings, as `domain.validity.halt_on` has it."""

    inherit_cache = False

    def __init__(self, said: ColumnElement[Any], standings: tuple[Standing, ...], day: ColumnElement[Any]) -> None:
        super().__init__(said, day)
        self.standings = standings


class LapsesFrom(Sentence):
    """Whether the last day of a certificate is that day or one behind it, and of what has none; never NULL.

    `lapses` is the earliest of three days, which SQLite computes anew each time that it is looked at. It is quicker to
    look at the three.
    """

    inherit_cache = True

    def __init__(self, assigned: FromClause, day: ColumnElement[Any]) -> None:
        of = assigned.c
        super().__init__(of.lapses, of.expiration_date, of.expiry_date, of.withdrawn_on, day)


class TurnsAfter(Sentence):
    """Whether one of the spans ends on a day, or begins with the next one."""

    inherit_cache = True


def _any_of(*words: str) -> str:
    return ", ".join(f"'{word}'" for word in words)


_ENDED = _any_of(REINSTATED, RENEWED)
_FIRST, _LAST, _WHAT = 0, 1, 2


def _lies_over(row: str, first: str, last: str, day: str) -> str:
    return f"FROM {row} WHERE {first} <= {day} AND {last} >= {day}"


def _parts(element: Sentence, compiler: SQLCompiler, options: Any) -> tuple[str, str]:
    spans, day = (compiler.process(clause, **options) for clause in element.clauses)
    return spans, day


def _item(at: int) -> str:
    return f"json_extract(value, '$[{at}]')"


@compiles(Covered, "sqlite")
def _covered_sqlite(element: Covered, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    first, last = f"ifnull({_item(_FIRST)}, '')", f"ifnull({_item(element.end)}, '~')"
    return f"EXISTS (SELECT 1 {_lies_over(f'json_each({spans})', first, last, day)})"


@compiles(Covered, "postgresql")
def _covered_postgresql(element: Covered, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    first, last = (f"coalesce((v ->> {at})::date, {day})" for at in (_FIRST, element.end))
    return f"EXISTS (SELECT 1 {_lies_over(f'jsonb_array_elements({spans}) AS s(v)', first, last, day)})"


@compiles(LapsesFrom, "sqlite")
def _lapses_from_sqlite(element: LapsesFrom, compiler: SQLCompiler, **options: Any) -> str:
    _, *ends, withdrawn, day = (compiler.process(clause, **options) for clause in element.clauses)
    # What is withdrawn on a day lapses on the one before.
    tests = [*(f"ifnull({end}, '~') >= {day}" for end in ends), f"ifnull({withdrawn}, '~') > {day}"]
    return f"({' AND '.join(tests)})"


@compiles(LapsesFrom, "postgresql")
def _lapses_from_postgresql(element: LapsesFrom, compiler: SQLCompiler, **options: Any) -> str:
    lapses, *_, day = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{lapses} >= {day}"


# Most rows have nothing, and are not to pay for looking into it.
@compiles(Halted, "sqlite")
def _halted_sqlite(element: Halted, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    over = _lies_over(f"json_each({spans})", _item(_FIRST), f"ifnull({_item(_LAST)}, '~')", day)
    said, ended = (
        f"ifnull(max(iif({_item(_WHAT)} IN ({words}), key, NULL)), -1)"
        for words in (_any_of(*element.standings), _ENDED)
    )
    return f"({spans} IS NOT NULL AND (SELECT {said} > {ended} {over}))"


@compiles(Halted, "postgresql")
def _halted_postgresql(element: Halted, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    each = f"jsonb_array_elements({spans}) WITH ORDINALITY AS s(v, k)"
    over = _lies_over(each, f"(v ->> {_FIRST})::date", f"coalesce((v ->> {_LAST})::date, {day})", day)
    said, ended = (
        f"coalesce(max(k) FILTER (WHERE v ->> {_WHAT} IN ({words})), 0)"
        for words in (_any_of(*element.standings), _ENDED)
    )
    return f"({spans} IS NOT NULL AND (SELECT {said} > {ended} {over}))"


@compiles(TurnsAfter, "sqlite")
def _turns_after_sqlite(element: TurnsAfter, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    turns = f"{_item(_LAST)} = {day} OR {_item(_FIRST)} = date({day}, '+1 day')"
    # All parts are SQL that SQLAlchemy wrote, or numbers.
    return f"EXISTS (SELECT 1 FROM json_each({spans}) WHERE {turns})"  # noqa: S608


@compiles(TurnsAfter, "postgresql")
def _turns_after_postgresql(element: TurnsAfter, compiler: SQLCompiler, **options: Any) -> str:
    spans, day = _parts(element, compiler, options)
    turns = f"(v ->> {_LAST})::date = {day} OR (v ->> {_FIRST})::date = {day} + 1"
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements({spans}) AS s(v) WHERE {turns})"  # noqa: S608
