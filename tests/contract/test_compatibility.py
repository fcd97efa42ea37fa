"""What counts as breaking the clients of a GraphQL schema, on small schemas."""

import pytest

from schema.compatibility import compare

BEFORE = """
type Query {
  product(gtin: String!, lang: String, day: String = "today"): Product
  find(input: Find!): Item
  old: String @deprecated(reason: "Use product.")
  withOld(a: Int, b: Int @deprecated(reason: "No effect.")): String
}
interface Named { name: String! }
type Product implements Named { gtin: String!, name: String!, kind: Kind!, brand: String }
type Claim implements Named { name: String! }
type Unused { a: String }
union Item = Product | Claim
enum Kind { FOOD DRINK TOY @deprecated(reason: "We sell none.") }
input Find { name: String, size: Int = 10, colour: String @deprecated(reason: "Not recorded.") }
directive @cached(seconds: Int) on FIELD
"""


def changed(old: str, new: str) -> str:
    assert old in BEFORE
    return BEFORE.replace(old, new)


def test_the_same_schema_is_fine() -> None:
    assert compare(BEFORE, BEFORE) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "change", "remedy"),
    [
        ("type Unused { a: String }", "", "Unused was removed", "deprecated in a release"),
        ("type Unused {", "input Unused {", "Unused changed from an Object type to an Input type", "another name"),
        ("= Product | Claim", "= Product", "Claim was removed from union type Item", "keep it in the union"),
        ("FOOD DRINK", "FOOD", "Enum value Kind.DRINK was removed", "deprecate it"),
        ("input Find {", "input Find { page: Int!,", "A required field Find.page was added", "give it a default"),
        ("Claim implements Named", "Claim", "Claim no longer implements interface Named", "keep the interface"),
        (", brand: String", "", "Field Product.brand was removed", "deprecate it"),
        ("kind: Kind!", "kind: Kind", "Field Product.kind changed type from Kind! to Kind", "a new field beside"),
        ("gtin: String!, lang", "gtin: String!, key: Int!, lang", "(key:) was added", "give it a default"),
        (", lang: String", "", "Argument Query.product(lang:) was removed", "deprecate it"),
        ("lang: String", "lang: Int", "(lang:) has changed type from String to Int", "a new argument beside"),
        ('day: String = "today"', "day: String", "(day:) defaultValue was removed", "keep the default"),
        ("size: Int = 10", "size: Int = 20", "changed defaultValue from 10 to 20", "keep the default"),
        ("directive @cached(seconds: Int) on FIELD", "", "Directive @cached was removed", "take the change back"),
    ],
)
def test_a_break_is_named_with_its_remedy(old: str, new: str, change: str, remedy: str) -> None:
    breaks, notes = compare(BEFORE, changed(old, new))
    (sentence,) = breaks
    assert change in sentence
    assert remedy in sentence
    assert notes == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('old: String @deprecated(reason: "Use product.")', ""),
        (', b: Int @deprecated(reason: "No effect.")', ""),
        (' TOY @deprecated(reason: "We sell none.")', ""),
        (', colour: String @deprecated(reason: "Not recorded.")', ""),
    ],
)
def test_what_was_deprecated_may_go(old: str, new: str) -> None:
    breaks, (note,) = compare(BEFORE, changed(old, new))
    assert breaks == []
    assert note.endswith("was removed: it was deprecated.")


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        ("FOOD DRINK", "FOOD DRINK PET", ["Enum value Kind.PET was added: clients may meet a value"]),
        (
            "Product | Claim",
            "Product | Claim | Unused",
            ["Unused was added to union type Item: clients may meet a type"],
        ),
        ("type Unused { a: String }", "type Unused implements Named { a: String, name: String! }", ["Named added to"]),
        ("type Query {", "type Query { more: Int", []),
        ("lang: String", "lang: String, more: Int", []),
        ("name: String, size", "name: String, more: Int, size", []),
        ("old: String @deprecated", "old: String! @deprecated", []),
    ],
)
def test_what_is_added_breaks_nobody(old: str, new: str, notes: list[str]) -> None:
    findings = compare(BEFORE, changed(old, new))
    assert findings.breaks == []
    assert len(findings.notes) == len(notes)
    assert all(sentence.startswith(start) for sentence, start in zip(findings.notes, notes, strict=True))
