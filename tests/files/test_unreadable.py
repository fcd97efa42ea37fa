"""Texts that are no tables, or cannot be read to their end: one sentence with what to do, whenever it shows."""

import gzip
import io
import random

import pytest

from domain.errors import InvalidInput
from files.reading.opening import table_of

LONG = b"gtin,name\n" + b"".join(
    b"%014d,Rice drink\n" % number for number in random.Random(1).sample(range(10**9), 40_000)
)


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"gtin\n1\n", "klingon", "'klingon' is no encoding that is known; write for example windows-1252"),
        (b"gtin,name\n1,\x81\x8d\n", None, "is in an encoding that cannot be told; save it as UTF-8, or name it"),
        (LONG.decode().encode("utf-16")[:-1], None, "is not all in one encoding; save it as UTF-8"),
        (gzip.compress(LONG)[:-1000], None, "breaks off"),
    ],
    ids=["unknown encoding", "no encoding", "two encodings", "broken off"],
)
def test_what_cannot_be_read_says_what_to_do(content: bytes, encoding: str | None, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(table_of(io.BytesIO(content), "own.csv", encoding).rows)
    (violation,) = refused.value.violations
    assert violation.type == "unreadable"
    assert says in violation.message
