"""A file of any length, and with anything in it, in memory of one size."""

import tracemalloc
from contextlib import suppress

import pytest

from domain.errors import InvalidInput
from files.importing import Options
from resolvers.operation import Context
from tests.files.importing import Heard, caller, run_all, source
from tests.files.test_import_command import table_of
from tests.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MiB = 1 << 20


class Deaf(Heard):
    """Does not remember what it is told."""

    def done(self, results: object, share: float) -> None:
        """Forgets it."""


async def peak(world: World, content: str) -> int:
    """The most bytes that were held while it was judged, beside the file itself."""
    context, rows = Context(world.database, caller(world)), source(content)
    tracemalloc.start()
    try:
        with suppress(InvalidInput):
            await run_all(context, [rows], Options(dry_run=True), Deaf())
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_many_rows_take_no_more_memory_than_few(world: World) -> None:
    await peak(world, table_of(10))
    # Both are longer than what is looked at to find out what a file is.
    few, many = await peak(world, table_of(4_500)), await peak(world, table_of(9_000))
    assert many < few + MiB // 2
    assert many < 16 * MiB


@pytest.mark.parametrize(
    "content",
    [
        "x" * (32 * MiB),
        '"' + "x\n" * (16 * MiB),
        "gtin,name\n" + '"x\n",' * (6 * MiB),
        "gtin," * (6 * MiB),
        '{"gtin": "' + "1" * (32 * MiB),
        "[" * (32 * MiB),
    ],
    ids=["a line", "a cell of lines", "a row of lines", "columns", "an object", "lists"],
)
async def test_what_has_no_end_is_not_read_to_it(world: World, content: str) -> None:
    assert await peak(world, content) < 72 * MiB
