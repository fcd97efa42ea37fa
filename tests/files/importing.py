"""What tests of imports have in common: sources made of texts, and a caller for whom they are put in."""

import io
from collections.abc import Sequence
from typing import Any

from domain.access import Caller
from domain.records import Organization
from domain.vocabulary import Role
from files.columns.recognition import Columns
from files.importing import Options, Progress, Result, SourceFile, Tally, prepared, run
from files.reading.table import Table
from resolvers.operation import Context
from tests.world import World

RICE = "00614141107346"
RYE = "09506000134352"


class Heard:
    """Remembers what it is told; of the pass that counts."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.tables: list[tuple[Table, Columns]] = []
        self.passes: list[bool] = []

    def began(self, *, judging: bool, since: Progress) -> None:
        self.passes.append(judging)
        self.told: Sequence[Result] = []
        self.results.clear()
        self.tables.clear()

    def telling(self, results: Sequence[Result], position: int) -> None:
        self.told = results

    def opened(self, table: Table, columns: Columns) -> None:
        self.tables.append((table, columns))

    def done(self, results: Sequence[Result], share: float) -> None:
        assert 0 <= share <= 1
        assert results == self.told
        self.told = []
        self.results += results

    @property
    def outcomes(self) -> list[str]:
        return [result.outcome for result in self.results]

    @property
    def refusals(self) -> dict[int, str]:
        """The sentences, by the numbers of rows."""
        return {result.row.number: result.reason for result in self.results if result.refused}


def gtin_of(number: int) -> str:
    digits = f"{950_600_000_000 + number:013d}"
    return f"{digits}{-sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits)) % 10}"


def source(content: str | bytes, name: str = "rows.csv") -> SourceFile:
    data = content.encode() if isinstance(content, str) else content
    return SourceFile(name, len(data), lambda: io.BytesIO(data))


def caller(world: World, of: str = "brand", role: Role = Role.MANAGER) -> Caller:
    return Caller(None, None, role, Organization(getattr(world, of), of, of.title()))


async def run_all(context: Context, sources: Sequence[SourceFile], options: Options, heard: Heard) -> Tally:
    return await run(context, await prepared(context, sources, options), heard)


async def put(world: World, *contents: str | bytes, of: str = "brand", **options: Any) -> tuple[Tally, Heard]:
    heard = Heard()
    sources = [source(content, f"file{number}.csv") for number, content in enumerate(contents, start=1)]
    totals = await run_all(Context(world.database, caller(world, of)), sources, Options(**options), heard)
    return totals, heard
