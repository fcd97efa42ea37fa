"""What an idempotency key may look like, at the ends of its length."""

import pytest

from domain.errors import BadRequest
from domain.idempotency import MAX_LENGTH, read_key


@pytest.mark.parametrize("length", [1, 2, MAX_LENGTH - 1, MAX_LENGTH])
def test_a_key_may_be_as_long_as_documented(length: int) -> None:
    key = "k" * length
    assert read_key([key]) == read_key([f'"{key}"']) == key
    # What is escaped counts once.
    assert read_key(['"' + '\\"' * length + '"']) == '"' * length


@pytest.mark.parametrize("text", ["", '""', "k" * (MAX_LENGTH + 1), f'"{"k" * (MAX_LENGTH + 1)}"'])
def test_a_key_that_is_longer_or_empty_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="1 to 255"):
        read_key([text])


def test_the_length_is_the_contracts() -> None:
    assert MAX_LENGTH == 255
    assert read_key([]) is None
    with pytest.raises(BadRequest):
        read_key(["one", "two"])
