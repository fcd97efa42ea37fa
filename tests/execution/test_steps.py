"""Work that goes on together ends together."""

import asyncio

import pytest

from execution.run.steps import together


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_what_one_raises_ends_those_behind_it(failing: int) -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(0 if number <= failing else 3600)
        except asyncio.CancelledError:
            ended.append(number)
            raise
        if number == failing:
            raise ValueError(number)

    with pytest.raises(ValueError, match=str(failing)):
        await together(map(work, range(4)))
    await asyncio.sleep(0)
    assert ended == [number for number in range(4) if number > failing]
