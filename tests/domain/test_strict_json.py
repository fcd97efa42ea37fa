"""JSON is taken as it is, unless two readers could see two things in it."""

import json

import pytest

from domain.strict_json import MAX_PARTS, NamedTwice, NestedTooDeeply, NotJson, TooMuch, decode


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"a": [{"a": 1}, {"a": 1}]}},
        {"a": '"b":1,"b":2', '"b":': "c"},
        {"": [{}], "b ": 1.5, "b": None},
        [],
        "text",
    ],
)
def test_what_is_said_once_is_read(value: object) -> None:
    assert decode(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "a": 1}', '"a"'),
        ('{"a" \n\t:1,"\\u0061" :2}', '"a"'),
        ('{"a": [{"b": {}}, {"c": 1, "c": {"d": "\\":"}}]}', '"c"'),
        ('{"": 1, "": 2}', '""'),
        (f'{{"{"x" * 200}": 1, "{"x" * 200}": 2}}', f'"{"x" * 100}"'),
    ],
)
def test_a_name_twice_in_one_object_is_refused(text: str, name: str) -> None:
    with pytest.raises(NamedTwice) as refused:
        decode(text.encode())
    assert refused.value.name == name


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", b'"\xff"', b'"\\ud800"', b"{} {}"])
def test_what_is_no_json(text: bytes) -> None:
    with pytest.raises(NotJson):
        decode(text)


def test_another_encoding_is_said_in_our_words() -> None:
    with pytest.raises(NotJson, match=r"^it is not encoded in UTF-8$"):
        decode('{"name": "Müsli"}'.encode("latin-1"))


def test_what_has_too_many_levels() -> None:
    with pytest.raises(NestedTooDeeply):
        decode(b"[" * 10_000 + b"]" * 10_000)


@pytest.mark.parametrize("part", ["[]", "{}", '{"a": 1}'])
def test_what_has_too_many_parts(part: str) -> None:
    def listed(number: int) -> bytes:
        return f"[{','.join([part] * number)}]".encode()

    assert len(decode(listed(MAX_PARTS - 1))) == MAX_PARTS - 1
    with pytest.raises(TooMuch):
        decode(listed(MAX_PARTS + 1))
