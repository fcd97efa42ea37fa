"""The form of an API key (contract 1.5)."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.api_keys import digest, is_well_formed, new_key
from domain.vocabulary import KeyKind

GOOD = "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098"
BODY = "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf"


def signed(body: str, prefix: str = "csb") -> str:
    """A key of that body with the right checksum, so that nothing but the body can be at fault."""
    return f"{prefix}_{body}_{zlib.crc32(body.encode()):08x}"


def test_the_documented_body_with_its_true_checksum_is_well_formed() -> None:
    assert is_well_formed(GOOD)
    assert signed(BODY) == GOOD


@pytest.mark.parametrize(
    "key",
    [
        "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_1a2b3c4d",
        "",
        "_",
        "__",
        "csb",
        "csb__00000000",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("_", "-"),
        GOOD + "_",
        GOOD[:-1],
        signed(BODY, "csx"),
        signed(BODY, "CSB"),
        signed(BODY, ""),
        signed(BODY[:-1]),
        signed(BODY + "g"),
        signed("１" * 32),
        signed("٣" * 32),
        signed("é" * 32),
        signed("-" * 32),
        signed(" " * 32),
        signed("\0" * 32),
        f"csb_{BODY}_８4041098",
    ],
    ids=ascii,
)
def test_other_texts_are_not(key: str) -> None:
    assert not is_well_formed(key)


def test_a_checksum_is_lower_case_and_keeps_its_zeros() -> None:
    body = next(
        body
        for body in (f"{number:032d}" for number in range(1000))
        if f"{zlib.crc32(body.encode()):08x}".startswith("0") and signed(body) != signed(body).upper()
    )
    head, _, checksum = signed(body).rpartition("_")
    assert is_well_formed(f"{head}_{checksum}")
    assert not is_well_formed(f"{head}_{checksum.lstrip('0')}")
    assert not is_well_formed(f"{head}_{checksum.upper()}")


@pytest.mark.parametrize("kind", KeyKind)
def test_new_keys_are_well_formed_and_differ(kind: KeyKind) -> None:
    keys = {new_key(kind) for _ in range(200)}
    assert len(keys) == 200
    assert all(is_well_formed(key) and key.startswith(f"{kind}_") for key in keys)


@given(st.integers(4, 35), st.characters(codec="ascii", categories=["L", "N"]))
def test_a_mistyped_character_is_noticed(place: int, character: str) -> None:
    mistyped = GOOD[:place] + character + GOOD[place + 1 :]
    assert is_well_formed(mistyped) is (mistyped == GOOD)


def test_the_digest_is_sha_256_in_hex() -> None:
    assert digest(GOOD) == hashlib.sha256(GOOD.encode()).hexdigest()
    assert len(digest("")) == 64
