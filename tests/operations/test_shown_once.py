"""What is shown once is never told again, and a repetition under the same key is refused in words."""

import pytest

from schema import calendars, keys, people, webhooks
from tests.operations.mutations import MUTATIONS, prepare, run
from tests.world import World

SHOWN_ONCE = sorted(
    each.operation.name
    for module in (calendars, keys, people, webhooks)
    for each in module.MUTATIONS
    if each.operation.is_shown_once
)


@pytest.mark.parametrize("operation", SHOWN_ONCE)
async def test_a_secret_is_not_told_again(world: World, operation: str) -> None:
    first, *others = operation.split("_")
    name = first + "".join(map(str.capitalize, others))
    await prepare(world)
    made = await run(world, name, MUTATIONS[name].input, key="one")
    assert made["__typename"] == MUTATIONS[name].success
    again = await run(world, name, MUTATIONS[name].input, key="one")
    assert (again["__typename"], again["errorCode"]) == ("ConflictProblem", "conflict")


def test_these_are_shown_once() -> None:
    made = ["create_api_key", "create_calendar", "create_invitation", "create_webhook"]
    assert [*made, "rotate_webhook_secret"] == SHOWN_ONCE
