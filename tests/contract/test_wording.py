"""What is said of bad input is for people: it names the remedy, and never Python's or pydantic's words."""

import re
from typing import Any

import pytest

from domain.errors import InvalidInput
from rest_compat.routes import ENDPOINTS

BAD: list[Any] = [
    *(None, "", "x", "x" * 3_000, "\0", 1.5, -1, 10**30, True, [], [1], ["x"] * 200, {}, {"a": 1}, {"": "x"}),
    *("2026-02-30", "2026-01-01T00:00:00", "2026-01-01T99:00:00Z", "yesterday", "0123", "1_0", "99999", "-x"),
    *({f"k{number}": "x" for number in range(200)}, "https://example.org/ x", "ann@", "a" * 22, "z" * 22),
]
MACHINE = re.compile(
    r"valid (integer|boolean|string|dictionary|list|datetime|tuple)|pattern|timezone|after validation|Extra inputs"
    r"|base 57|unable to|instance|NoneType|pydantic|\\\\|greater than or equal|less than or equal|Field required .",
    re.IGNORECASE,
)


@pytest.mark.parametrize("command", sorted({each.command for each in ENDPOINTS}, key=str))
def test_nothing_is_said_in_the_words_of_a_machine(command: Any) -> None:
    said: set[str] = set()
    for name in command.model_fields:
        for value in BAD:
            try:
                command.parse({name: value})
            except InvalidInput as error:
                said |= {violation.message for violation in error.violations}
    assert not {message for message in said if MACHINE.search(message)}
