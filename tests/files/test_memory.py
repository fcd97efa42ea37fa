"""A list of any length in memory of one size."""

import tracemalloc
from typing import Any

import msgspec
import pytest

from domain.access import Caller
from domain.filters import EVERYTHING
from domain.gtin import Gtin
from domain.paging import Page, Window
from domain.vocabulary import FileFormat, Role
from files.export import export
from files.lists import PAGE
from resolvers.listed import LISTS
from resolvers.operation import Context
from tests.domain.making import held, organization

READER = Caller(None, None, Role.READONLY, organization("own"))
MiB = 1 << 20


async def peak(form: FileFormat, pages: int) -> int:
    """The most bytes that were held while so many pages were exported."""
    record = held(certificate_number="NOP-1", metadata={"lot": "7"})

    async def page(context: Any, where: Any, order: Any, window: Window) -> Page[Any]:
        number = 0 if window.position is None else int(window.position[0]) // PAGE + 1
        gtins = (Gtin(f"{number * PAGE + at:014}") for at in range(PAGE))
        return Page([msgspec.structs.replace(record, gtin=gtin) for gtin in gtins], number < pages - 1)

    # Nothing is read: what is written is what counts here.
    parts = export(Context(None, READER), LISTS["certifications"]._replace(page=page), EVERYTHING, form)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        async for _ in parts:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", FileFormat)
async def test_ten_times_the_rows_take_no_more_memory(form: FileFormat) -> None:
    # What is made once is there already.
    await peak(form, 1)
    few, many = await peak(form, 3), await peak(form, 30)
    assert many < few + MiB // 4
    assert many < 4 * MiB
