"""What stands in files is judged and stored as the operations would, row by row, on both databases."""

import asyncio
import io
import json
import threading
import zipfile
from contextlib import aclosing
from datetime import date
from typing import Any, cast

import openpyxl
import pytest
from sqlalchemy import delete

from db import certificates, products
from db.assignments import certifications
from db.engine.lender import PostgresqlConnection
from db.sql import tables
from domain.access import Caller
from domain.errors import Busy, Forbidden, InvalidInput
from domain.gtin import Gtin
from domain.vocabulary import BulkPolicy, Existing, Role
from files import importing
from files.columns.refusing import WORDS
from files.importing import Options, Progress, Tally, prepared, run
from files.reading import table as reading_table
from files.reading.opening import table_of
from files.reports import told as told_of
from resolvers import importing as planning
from resolvers.operation import Context
from tests.files.importing import RICE, RYE, Heard, caller, gtin_of, put, run_all, source
from tests.log import log
from tests.operations.faces import GraphQL
from tests.world import GTIN, NON_GMO, OTHERS_GTIN, USDA_ORGANIC, World

IGNORE = BulkPolicy.IGNORE_FAILED
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""


async def everything(world: World) -> list[Any]:
    return [
        await world.rows(table)
        for table in (tables.products, tables.certification_assignments, tables.claim_assignments)
    ]


async def product(world: World, gtin: str) -> dict[str, Any]:
    selection = "name brand dataSource version countryOfOrigin metadata certifications { validFrom } claims { source }"
    body = await GraphQL(world).run(f'{{ product(gtin: "{gtin}") {{ {selection} }} }}', "manager")
    found: dict[str, Any] = body["data"]["product"]
    return found


# --- What becomes of rows ---


async def test_a_later_period_renews_and_a_later_end_alone_does_not(world: World) -> None:
    head = "EAN,Certification,Valid from,Valid until,Certificate number,Expiry date\n"
    totals, _ = await put(world, f"{head}{GTIN},USDA_ORGANIC,2025-01-01,2025-12-31,NOP-1,\n")
    assert totals.things == {"certification changed": 1}
    # Put off, or corrected: the same certificate.
    totals, _ = await put(world, f"EAN,Certification,Valid until\n{GTIN},USDA_ORGANIC,2026-01-31\n")
    assert totals.things == {"certification changed": 1}
    assert await world.rows(tables.earlier_certificates) == []

    later = f"{head}{GTIN},USDA_ORGANIC,2026-01-11,2027-01-10,,2027-01-10\n"
    corrected, _ = await put(world, later.replace(",2027-01-10\n", ",\n"), existing=Existing.CORRECT, dry_run=True)
    assert corrected.things == {"certification changed": 1}
    totals, heard = await put(world, later, dry_run=True)
    assert heard.refusals == {}
    assert (totals.things, totals.rows) == ({"certification renewed": 1}, {"changed": 1})
    told = [line for result in heard.results for line in told_of(result)]
    assert (told[0].outcome, told[0].reason) == ("renewed", "both hold on 21 days")
    assert ("valid_from", date(2025, 1, 1), date(2026, 1, 11)) in [line[5:8] for line in told]
    assert await world.rows(tables.earlier_certificates) == []

    totals, _ = await put(world, later)
    assert totals.things == {"certification renewed": 1}
    (kept,) = (await certificates.of_products(world.database, [Gtin(GTIN)]))[Gtin(GTIN), USDA_ORGANIC]
    assert (kept.number, kept.expiration_date, kept.certificate_number) == (1, date(2026, 1, 31), "NOP-1")
    (held,) = [row for row in await log(world) if row.operation == "renewCertification"]
    assert held.record is not None
    assert held.record["expiry_date"] == "2027-01-10"
    # Once more, it is there already.
    totals, _ = await put(world, later)
    assert totals.things == {"certification left": 1}
    number = f"EAN,Certification,Valid until,Certificate number\n{GTIN},USDA_ORGANIC,2028-01-10,NOP-2\n"
    totals, _ = await put(world, number)
    assert totals.things == {"certification renewed": 1}
    assert len(await world.rows(tables.earlier_certificates)) == 2


async def test_a_file_says_what_is_suspended_and_withdrawn(world: World) -> None:
    head = "EAN,Certification,suspended_from,suspended_until,withdrawn_on,standing_reason\n"
    totals, _ = await put(world, f"{head}{GTIN},USDA_ORGANIC,2026-01-01,2026-02-28,,Residues\n")
    assert totals.things == {"certification changed": 1}
    totals, heard = await put(world, f"{head}{GTIN},USDA_ORGANIC,,2025-12-31,,\n{RICE},USDA_ORGANIC,,,,\n")
    assert totals.rows["refused"] == 2
    assert "suspended_from" in heard.refusals[2]
    totals, _ = await put(world, f"{head}{GTIN},USDA_ORGANIC,,,2026-04-01,Fraud\n")
    assert totals.things == {"certification changed": 1}
    body = await GraphQL(world).run(
        f'{{ product(gtin: "{GTIN}") {{ certifications {{ standing suspendedUntil standingReason lapsesOn }} }} }}',
        "readonly",
    )
    assert body["data"]["product"]["certifications"][0] == {
        "standing": "WITHDRAWN",
        "suspendedUntil": "2026-02-28",
        "standingReason": "Fraud",
        "lapsesOn": "2026-03-31",
    }


async def test_products_are_made_changed_and_left(world: World) -> None:
    rows = f"EAN,Product Name,Marke\n614141107346,Rice drink,Acme\n{GTIN},Oat drink,Better\n{RYE},Rye,\n"
    totals, heard = await put(world, rows)
    assert heard.outcomes == ["made", "changed", "made"]
    assert heard.passes == [True, False]
    assert totals.things == {"product made": 2, "product changed": 1}
    assert {name: (await product(world, RICE))[name] for name in ("name", "brand", "dataSource", "version")} == {
        "name": "Rice drink",
        "brand": "Acme",
        "dataSource": "IMPORTED",
        "version": 1,
    }
    changed = await product(world, GTIN)
    assert (changed["brand"], changed["version"], changed["dataSource"]) == ("Better", 2, "CLAIMED")
    # The same again changes nothing.
    before = await everything(world)
    totals, heard = await put(world, rows)
    assert heard.outcomes == ["left"] * 3
    assert await everything(world) == before


async def test_a_wide_sheet_has_products_with_what_they_hold_and_claim(world: World) -> None:
    totals, heard = await put(
        world,
        "gtin;name;certification;certificate no;valid from;expiry;claims\n"
        f"{RICE};Rice drink;Fair Trade USA;FT-1;31.01.2026;;VEGAN, NON_GMO\n"
        f"{RICE};Rice drink;usda_organic;US-1;2026-02-01;;VEGAN\n"
        f"{GTIN};;;;;;vegan\n",
        columns={"expiry": "expiration_date"},
    )
    assert heard.outcomes == ["made"] * 3
    assert totals.things == {
        "product made": 1,
        "product left": 1,
        "certification made": 2,
        "claim made": 3,
        "claim left": 1,
    }
    found = await product(world, RICE)
    assert sorted(held["validFrom"] for held in found["certifications"]) == ["2026-01-31", "2026-02-01"]
    assert len(found["claims"]) == 2
    # What is not said of a product that is there stays.
    assert (await product(world, GTIN))["name"] == "Oat drink"


@on_sqlite
@pytest.mark.parametrize(
    "head",
    [
        "Strichcode,Artikelbezeichnung,Zertifikat,Zertifikatsnummer,Aussteller,Gültig ab,Gültig bis",
        "EAN,Nom du produit,Certificat,Numéro du certificat,Organisme certificateur,Valable du,Valable jusqu'au",
        "Código de barras,Nombre,Certificado,Número de certificado,Entidad certificadora,Válido desde,Válido hasta",
        "Codice a barre,Nome prodotto,Certificato,Numero certificato,Ente certificatore,Valido dal,Valido fino al",
    ],
    ids=["de", "fr", "es", "it"],
)
async def test_heads_of_columns_may_be_in_other_languages(world: World, head: str) -> None:
    _, heard = await put(world, f"{head}\n{RICE},Reis,USDA Organic,C-1,CCOF,2026-01-01,2027-12-31\n")
    ((_, columns),) = heard.tables
    assert [column.target.shown for column in columns.columns] == [
        "gtin",
        "product.product_name",
        "certification.code",
        "certification.certificate_number",
        "certification.issuing_body",
        "certification.valid_from",
        "certification.expiration_date",
    ]
    assert heard.outcomes == ["made"]


async def test_json_lines_are_rows_with_maps_and_lists(world: World) -> None:
    lines = [
        {"gtin": RICE, "product_name": "Rice", "metadata": {"order": "7"}, "certifications": ["FAIR_TRADE_USA"]},
        {"gtin": GTIN, "claims": ["VEGAN"], "product_name": None},
    ]
    await put(world, "\n".join(map(json.dumps, lines)))
    assert (await product(world, RICE))["metadata"] == {"order": "7"}
    await put(world, json.dumps({"products": [{"gtin": RYE, "name": "Rye"}]}, indent=1))
    assert (await product(world, RYE))["name"] == "Rye"


async def test_a_certification_is_named_by_id_code_or_label_and_changed_where_it_is_there(world: World) -> None:
    for named in (USDA_ORGANIC, "usda_organic", "USDA Organic"):
        _, heard = await put(world, f"gtin,certification,scope\n{GTIN},{named},{named}\n")
        assert heard.outcomes == ["changed"]
        (part,) = heard.results[0].done.parts
        assert part.change.after.scope == named
        assert part.change.before.certificate_number == part.change.after.certificate_number == "NOP-1"


async def test_what_cannot_be_changed_later_is_refused_unless_it_is_the_same(world: World) -> None:
    _, heard = await put(world, f"gtin,certification,expiry_date\n{GTIN},USDA_ORGANIC,2027-01-01\n")
    why = "It cannot be changed later: it is empty; leave the cell empty"
    assert heard.refusals == {2: f'Row 2, column "expiry_date": "2027-01-01" cannot be used: {why}.'}


# --- Policies ---


async def test_nothing_is_done_if_a_row_is_refused(world: World) -> None:
    before = await everything(world)
    rows = f"gtin,name,claim\n{RICE},Rice drink,VEGAN\n{OTHERS_GTIN},,VEGAN\n{RYE},Rye,WEGAN\n1234,,VEGAN\n"
    totals, heard = await put(world, rows)
    assert heard.passes == [True]
    assert totals.rows == {"made": 1, "refused": 3}
    assert heard.refusals.keys() == {3, 4, 5}
    assert "belongs to another organisation" in heard.refusals[3]
    assert heard.refusals[4] == """Row 4, column "claim": "WEGAN": No claim is called 'WEGAN'; did you mean VEGAN?"""
    why = "A GTIN should have 8, 12, 13 or 14 digits"
    assert heard.refusals[5] == f'Row 5, column "gtin": "1234" is not a GTIN: {why}.'
    assert totals.refusals == {
        'column "gtin": it belongs to another organisation (forbidden)': 1,
        'column "claim": nothing is called so (not_called)': 1,
        'column "gtin": it is not a GTIN (gtin_invalid)': 1,
    }
    assert await everything(world) == before
    dry, _ = await put(world, rows, policy=IGNORE, dry_run=True)
    assert await everything(world) == before
    real, heard = await put(world, rows, policy=IGNORE)
    assert heard.outcomes == ["made", "refused", "refused", "refused"]
    assert dry.counted() == real.counted() == totals.counted()
    # A row that is refused leaves nothing.
    assert await product(world, RYE) is None


@pytest.mark.parametrize("size", [1, 2, 500])
async def test_a_dry_run_knows_what_rows_before_would_have_made(
    world: World, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", size)
    before = await everything(world)
    made = f"gtin,name\n{RICE},Rice drink\n{RYE},Rye\n"
    held = f"gtin,certification\n{RICE},USDA_ORGANIC\n{RYE},USDA_ORGANIC\n{RICE},FAIR_TRADE_USA\n{RICE},USDA_ORGANIC\n"
    totals, heard = await put(world, made, held, dry_run=True)
    assert heard.outcomes == [*["made"] * 5, "left"]
    assert await everything(world) == before
    real, _ = await put(world, made, held)
    assert real.counted() == totals.counted()
    assert len(await world.rows(tables.certification_assignments)) == 4


async def test_what_is_there_can_be_left_or_refused(world: World) -> None:
    before = await everything(world)
    rows = f"gtin,brand,certification,scope\n{GTIN},Better,USDA_ORGANIC,Oats\n"
    _, heard = await put(world, rows, existing=Existing.SKIP)
    assert heard.outcomes == ["left"]
    _, heard = await put(world, rows, existing=Existing.REFUSE)
    why = f"A product has the GTIN {GTIN} already; change that one instead"
    assert heard.refusals == {2: f'Row 2, column "gtin": "{GTIN}": {why}.'}
    assert await everything(world) == before


@on_sqlite
async def test_of_names_in_several_languages_the_products_own_counts(world: World) -> None:
    head = "code,lc,product_name_de,product_name_fr,brands,labels_tags"
    rows = f"{RICE},fr,Reis,Riz,Acme,\n{RYE},it,,Seigle,Acme,\n{GTIN},fr,Hafer,,Acme,\n"
    _, heard = await put(world, f"{head}\n{rows}")
    assert [result.done.parts[0].change.after.name for result in heard.results] == ["Riz", "Seigle", "Hafer"]
    hows = {column.name: column.how for column in heard.tables[0][1].columns}
    assert hows["product_name_de"] == "Open Food Facts; the name in the product's own language counts, else the first"


# --- How refusals are told ---


@on_sqlite
@pytest.mark.parametrize(
    ("head", "row", "says", "code"),
    [
        ("Strichcode,Marke", f"{RICE},{'x' * 300}", f'"Marke": "{"x" * 59}…" cannot be used: ', "string_too_long"),
        ("EAN,Made in", f"{RICE},Atlantis", '"Made in": "Atlantis" cannot be used: ', "country_code"),
        ("EAN,paint", f"{RICE},{'x' * 600}", '"paint": "xxx', "string_too_long"),
        ("EAN,metadata", f"{RICE},red", '"metadata": "red" cannot be used: it should be a JSON object', "dict_type"),
        ("EAN,name", ",Rice", '"EAN": the empty cell is not a GTIN: ', "gtin_invalid"),
        ("EAN,name", "(01)00614141107346,Rice", "is not a GTIN: Input should be a GTIN alone", "gtin_not_alone"),
        ("EAN,Seals", f"{GTIN},VEGAN", '"Seals": "VEGAN": No certification is called', "not_called"),
        ("EAN,scheme,cert no", f"{GTIN},,A", '"cert no": "A" cannot be used: the row names no', "not_named"),
        ("EAN,claim,claim source", f"{GTIN},VEGAN,x", '"claim source": "x" cannot be used: ', "enum"),
        ("EAN,claim,evidence", f"{GTIN},VEGAN,x", '"evidence": "x" cannot be used: ', "url_parsing"),
        ("EAN,scheme,valid from", f"{GTIN},USDA_ORGANIC,soon", '"valid from": "soon" cannot', "date_parsing"),
        ("EAN,scheme,valid from", f"{GTIN},USDA_ORGANIC,1.3.26", "its year has two digits; write all", "date_parsing"),
        ("EAN,claim", f"{RICE},VEGAN", f'"EAN": "{RICE}": ', "no_product"),
    ],
)
async def test_a_refusal_names_the_row_its_column_and_what_stands_there(
    world: World, head: str, row: str, says: str, code: str
) -> None:
    totals, heard = await put(world, f"{head}\n{row}\n", columns={"paint": "metadata"} if "paint" in head else {})
    assert heard.refusals.keys() == {2}
    assert heard.refusals[2].startswith("Row 2, column ")
    assert says in heard.refusals[2]
    assert len(heard.refusals[2]) < 400
    (kind,) = totals.refusals
    assert kind.endswith(f"{WORDS[code]} ({code})")


@on_sqlite
async def test_a_refusal_names_every_column_that_is_wrong(world: World) -> None:
    names = {"Sorte": "brand", "Bild": "image_url", "Art": "net_content", "Titel": "product_name"}
    names |= {f"Nebenbei {number}": "metadata" for number in range(8)}
    others = 8 * f",{'x' * 600}"
    rows = f"EAN,{','.join(names)}\n{RICE},{'x' * 300},x,{'x' * 300},{'x' * 600}{others}\n"
    totals, heard = await put(world, rows, columns=names)
    assert [refused.column for refused in heard.results[0].refused][:4] == ["Titel", "Sorte", "Art", "Bild"]
    assert heard.refusals[2].startswith('Row 2, column "Titel": ')
    assert heard.refusals[2].count('; column "') == 9
    assert heard.refusals[2].endswith("; and in 2 more columns.")
    assert sum(totals.refusals.values()) == 12


EVERYTHING = "EAN,name,made in,scheme,valid from,valid until,audit date,certificate url,claim,evidence"


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        # What cannot be read, what its operation refuses, and what that refuses of the rest.
        (
            "12,Rice,Atlantis,USDA_ORGANIC,2027-01-01,2026-01-01,05/06/2026,x,VEGAN,y",
            "audit date;EAN;made in;certificate url;valid until;evidence",
        ),
        (f"{RICE},Rice,Atlantis,Nonsense,,soon,,,Vegan?,y", "made in;scheme;valid until;claim;evidence"),
        (f"{RICE},Rice,DE,USDA_ORGANIC,2027-01-01,2026-01-01,,,VEGAN,y", "valid until;evidence"),
        (f"{RICE},,,USDA_ORGANIC,,soon,,,VEGAN,y", "valid until;evidence;EAN"),
        (f"{RICE},Rice,,,,soon,,,,", "valid until"),
        ("4.2E+12,Rice,,USDA_ORGANIC,,soon,,,VEGAN,", "EAN;valid until"),
        (f"{OTHERS_GTIN},Rice,Atlantis,USDA_ORGANIC,,soon,,,VEGAN,", "EAN"),
    ],
)
async def test_all_that_is_wrong_with_a_row_is_told_at_once(world: World, row: str, columns: str) -> None:
    before = await everything(world)
    for dry in (True, False):
        totals, heard = await put(world, f"{EVERYTHING}\n{row}\n", policy=IGNORE, dry_run=dry)
        told = heard.results[0].refused
        assert [each.column for each in told] == columns.split(";"), [each.sentence for each in told]
        assert all(each.why in heard.refusals[2] for each in told)
        assert sum(totals.refusals.values()) == len(told)
    assert await everything(world) == before


async def test_once_all_that_is_told_is_mended_the_row_goes_in(world: World) -> None:
    """Nothing but what clashes with what is there is told later."""
    spoilt = {
        "name": "x" * 600,
        "made in": "Atlantis",
        "valid until": "soon",
        "audit date": "05/06/2026",
        "evidence": "y",
    }
    good = {"EAN": RICE, "name": "Rice", "scheme": "USDA_ORGANIC", "valid from": "2026-01-01", "claim": "VEGAN"}
    row = good | spoilt
    _, heard = await put(world, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
    assert {each.column for each in heard.results[0].refused} == set(spoilt)
    mended = row | {each.column: good.get(each.column, "") for each in heard.results[0].refused}
    _, heard = await put(world, ",".join(mended) + "\n" + ",".join(mended.values()) + "\n")
    assert heard.outcomes == ["made"]


async def test_a_row_that_ends_what_holds_earlier_is_noted(world: World) -> None:
    head = "gtin,certification,valid until,cert no"
    await put(world, f"{head}\n{GTIN},USDA_ORGANIC,2028-05-01,NOP-1\n{GTIN},FAIR_TRADE_USA,,\n")
    earlier = f"{GTIN},USDA_ORGANIC,2026-05-01,NOP-1\n"
    old = f"{head}\n{earlier}{GTIN},FAIR_TRADE_USA,2030-01-01,\n{earlier}"
    for dry in (True, False):
        totals, heard = await put(world, old, dry_run=dry)
        assert heard.outcomes == ["changed", "changed", "left"], heard.refusals
        noted = [line for each in heard.results for line in told_of(each) if line.outcome == "noted"]
        assert [(line.row, line.member, line.reason) for line in noted] == [
            (2, "valid until", f"{GTIN} USDA_ORGANIC: 2028-05-01 -> 2026-05-01: it ends earlier than stored"),
            (3, "valid until", f"{GTIN} FAIR_TRADE_USA: no end -> 2030-01-01: it ends earlier than stored"),
        ]
        assert totals.notes == {"valid until: it ends earlier than stored": 2}
    _, heard = await put(world, f"{head}\n{GTIN},USDA_ORGANIC,2026-06-01,NOP-1\n")
    assert (heard.outcomes, heard.results[0].notes) == (["changed"], [])


async def test_an_empty_cell_changes_nothing_unless_it_is_to_clear(world: World) -> None:
    head = "gtin,name,brand,country_of_origin,paint,certification,scope,valid from,certificate countries,status,cert no"
    whole = f"{GTIN},Oats,Acme,US,red,USDA_ORGANIC,Oats,2026-01-01,US CA,verified,A-1"
    empty = f"{GTIN},Oats,,,,USDA_ORGANIC,,,,,A-1"
    columns = {"paint": "metadata", "status": "verification_status"}
    await put(world, f"{head}\n{whole}\n", columns=columns)
    before = await everything(world)
    totals, _ = await put(world, f"{head}\n{empty}\n{empty}\n", columns=columns)
    assert totals.rows == {"left": 2}
    assert await everything(world) == before
    # Also where the same is said twice, and of what is new.
    rows = f"{head}\n{empty}\n{empty}\n{RICE},Rice,,,,,,,,,\n{RICE},Rice,,,,,,,,,\n"
    totals, heard = await put(world, rows, columns=columns, clear_empty=True)
    assert heard.outcomes == ["changed", "left", "made", "left"]
    product, held = (part.change.after for part in heard.results[0].done.parts)
    assert (product.name, product.brand, product.country_of_origin, product.metadata) == ("Oats", "", "", {})
    assert (held.scope, held.valid_from, held.certificate_countries, held.certificate_number) == ("", None, [], "A-1")
    # What always has a value keeps it.
    assert held.verification_status == "verified"
    totals, _ = await put(world, rows, columns=columns, clear_empty=True)
    assert totals.rows == {"left": 4}
    # Of metadata each entry is cleared by itself.
    columns = {"paint": "metadata", "lot": "metadata"}
    await put(world, f"gtin,paint,lot\n{GTIN},red,7\n", columns=columns)
    _, heard = await put(world, f"gtin,paint,lot\n{GTIN},,8\n", columns=columns, clear_empty=True)
    assert heard.results[0].done.parts[0].change.after.metadata == {"lot": "8"}


# --- Rights ---


async def test_another_organisations_products_and_definitions_are_none_of_ones_own(world: World) -> None:
    before = await everything(world)
    _, heard = await put(
        world, f"gtin,certification\n{OTHERS_GTIN},USDA_ORGANIC\n{GTIN},Rival's own seal\n{GTIN},Brand's own seal\n"
    )
    assert "belongs to another organisation" in heard.refusals[2]
    says = """Row 3, column "certification": "Rival's own seal": No certification is called "Rival's own seal";"""
    assert heard.refusals[3].startswith(says)
    assert heard.refusals.keys() == {2, 3}
    assert await everything(world) == before


@on_sqlite
async def test_who_never_writes_puts_nothing_in(world: World) -> None:
    owner = caller(world).organization
    readers = Caller(None, None, Role.READONLY, owner)
    with pytest.raises(Forbidden):
        await run_all(Context(world.database, readers), [source(f"gtin\n{RICE}\n")], Options(), Heard())
    assert await product(world, RICE) is None


# --- Rows about the same ---


@pytest.mark.parametrize("size", [1, 500])
async def test_a_row_twice_is_left_and_a_contradiction_refused(
    world: World, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", size)
    rows = f"gtin,name\n{RICE},Rice\n{RICE.lstrip('0')},Rice\n{RICE},Rye\n{GTIN},Oats\n{GTIN},Oat\n"
    for dry in (True, False):
        _, heard = await put(world, rows, policy=IGNORE, dry_run=dry)
        assert heard.outcomes == ["made", "left", "refused", "changed", "refused"]
        why = "says something else of the same; leave one of the two out."
        assert heard.refusals[4] == f'Row 4, column "gtin": "{RICE}": Row 2 {why}'
        assert heard.refusals[6] == f'Row 6, column "gtin": "{GTIN}": Row 5 {why}'
    assert (await product(world, GTIN))["name"] == "Oats"
    # Also where the first of them changes nothing any more.
    _, heard = await put(world, rows, policy=IGNORE)
    assert heard.outcomes == ["left", "left", "refused", "left", "refused"]


async def test_several_files_are_one_import(world: World) -> None:
    _, heard = await put(world, f"gtin,name\n{RICE},Rice\n", f"gtin,name\n{RICE},Rye\n", policy=IGNORE)
    why = "Row 2 of file1.csv says something else of the same; leave one of the two out."
    assert heard.refusals == {2: f'Row 2 of file2.csv, column "gtin": "{RICE}": {why}'}


# --- Batches, others, and what goes wrong ---


@on_sqlite
async def test_statements_do_not_grow_with_the_rows_of_a_batch(world: World) -> None:
    seen: list[str] = []
    world.database._writer._connection.set_trace_callback(seen.append)  # type: ignore[attr-defined]
    rows = "".join(f"{number:013d}{check(number)},Oats {number}\n" for number in range(1_000, 1_300))
    for dry in (True, False):
        seen.clear()
        await put(world, f"gtin,name\n{rows}", dry_run=dry)
        assert len([sql for sql in seen if sql.startswith("SELECT")]) <= 4


@on_sqlite
async def test_what_is_only_judged_is_not_stored_first(world: World) -> None:
    seen: list[str] = []
    world.database._writer._connection.set_trace_callback(seen.append)  # type: ignore[attr-defined]
    rows = "".join(f"{number:013d}{check(number)},Oats {number},USDA_ORGANIC\n" for number in range(2_000, 2_010))
    counts = []
    for dry, policy in ((True, BulkPolicy.REJECT_ALL), (False, IGNORE), (False, BulkPolicy.REJECT_ALL)):
        seen.clear()
        totals, _ = await put(world, f"gtin,name,certification\n{rows}", dry_run=dry, policy=policy)
        assert totals.rows == {"made": 10}
        counts.append(len([sql for sql in seen if sql.startswith("INSERT INTO")]))
        await clear(world)
    assert counts[0] >= 20
    assert len(set(counts)) == 1


async def test_each_row_is_planned_once_unless_what_it_is_about_has_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[str] = []
    row, store = planning._Plan.row, planning.put

    async def planning_row(plan: Any, number: int, asked: Any) -> Any:
        planned.append(asked.gtin)
        return await row(plan, number, asked)

    async def changed_meanwhile(context: Any, rows: Any, *how: Any, ready: Any = None, **more: Any) -> Any:
        if ready is not None and rows[0].gtin == RICE and changes:
            await put(world, f"gtin,brand\n{changes.pop()},Mill\n", policy=IGNORE)
            put_in.clear()
        return await store(context, rows, *how, ready=ready, **more)

    put_in, changes = planned, list[str]()
    monkeypatch.setattr(planning._Plan, "row", planning_row)
    monkeypatch.setattr(importing, "put", changed_meanwhile)
    monkeypatch.setattr(importing, "BATCH", 2)
    others = [gtin_of(number) for number in range(3)]
    held = f"gtin,name,certification\n{RICE},Rice,USDA_ORGANIC\n" + "".join(f"{gtin},Oats,\n" for gtin in others)
    totals, heard = await put(world, held)
    assert totals.rows == {"made": 4}
    assert planned == [RICE, *others]
    assert [result.row.number for result in heard.results] == [2, 3, 4, 5]
    changes.append(RICE)
    totals, _ = await put(world, held.replace("Rice", "Brown rice").replace("Oats", "Rolled oats"))
    assert totals.rows == {"changed": 4}
    # What has changed has its batch planned anew, and no other.
    assert planned == [RICE, others[0]]
    found = await product(world, RICE)
    assert (found["name"], found["brand"], found["version"]) == ("Brown rice", "Mill", 3)
    assert {(await product(world, gtin))["version"] for gtin in others} == {2}
    # What a product holds may be told in several batches.
    monkeypatch.setattr(importing, "BATCH", 1)
    put_in.clear()
    totals, _ = await put(
        world, f"gtin,certification\n{RYE},USDA_ORGANIC\n{RYE},FAIR_TRADE_USA\n".replace(RYE, others[0])
    )
    assert totals.rows == {"made": 2}
    assert planned == [others[0]] * 2


@on_sqlite
async def test_where_the_disk_has_no_room_for_what_was_judged_the_files_are_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError("No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    totals, heard = await put(world, f"gtin,name\n{RICE},Rice\n{RYE},Rye\n")
    assert totals.rows == {"made": 2}
    assert heard.passes == [True, False]
    assert (await product(world, RYE))["name"] == "Rye"


async def clear(world: World) -> None:
    async with world.database.write() as transaction:
        for table in (tables.certification_assignments, tables.products):
            await transaction.execute(delete(table).where(table.c.gtin.between("00000000002000", "00000000020109")))


async def test_the_next_rows_are_read_while_those_before_are_put_in() -> None:
    reading, going_on = threading.Event(), threading.Event()
    rows, asked = importing._Piece([cast("Any", "a row")], 7), [0]

    def piece() -> importing._Piece:
        asked[0] += 1
        if asked[0] == 2:
            reading.set()
            assert going_on.wait(60)
        return rows

    async with aclosing(importing._ahead(piece)) as pieces:
        assert await anext(pieces) is rows
        assert await asyncio.to_thread(reading.wait, 60)
        asyncio.get_running_loop().call_later(0.05, going_on.set)
    # The file is closed now: nobody reads in it any more.
    assert going_on.is_set()
    assert asked == [2]


@on_sqlite
async def test_of_long_rows_few_are_held_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_table, "MAX_HELD", 1_000)
    rows = "".join(f"{number:013d}{check(number)},Oats,{'x' * 600}\n" for number in range(4_000, 4_007))
    seen: list[int] = []

    class Counting(Heard):
        def telling(self, results: Any, position: int) -> None:
            super().telling(results, position)
            seen.append(len(results))

    heard = Counting()
    options = Options(policy=IGNORE, columns={"note": "nothing"})
    await run_all(Context(world.database, caller(world)), [source(f"gtin,name,note\n{rows}")], options, heard)
    assert (seen, heard.outcomes) == ([2, 2, 2, 1], ["made"] * 7)


def check(number: int) -> int:
    digits = f"{number:013d}"
    return -sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits)) % 10


async def test_a_batch_in_whose_way_others_are_is_planned_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    add_many, lost = products.add_many, [1]

    async def racing(transaction: Any, made: Any) -> bool:
        return not lost.pop() if lost else await add_many(transaction, made)

    monkeypatch.setattr(products, "add_many", racing)
    _, heard = await put(world, f"gtin,name\n{RICE},Rice\n", policy=IGNORE)
    assert heard.outcomes == ["made"]
    assert (await product(world, RICE))["name"] == "Rice"
    lost += [1] * 100
    monkeypatch.setattr(planning, "ATTEMPTS", 2)
    with pytest.raises(Busy):
        await put(world, f"gtin,name\n{RYE},Rye\n", policy=IGNORE)
    assert await product(world, RYE) is None


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_a_batch_that_is_stopped_while_rows_of_it_are_stored_leaves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    rows = "\n".join(["gtin,name", *(f"{gtin_of(number)},Oats {number}" for number in range(500))])
    before, parts, store = await everything(world), asyncio.Semaphore(0), planning._Plan.store

    async def storing(plan: Any, *given: Any) -> None:
        parts.release()
        await store(plan, *given)

    monkeypatch.setattr(planning._Plan, "store", storing)
    putting = asyncio.create_task(put(world, rows, policy=IGNORE))
    for _ in range(3):
        await parts.acquire()
    for _ in range(turns):
        await asyncio.sleep(0)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await everything(world) == before
    totals, _ = await put(world, rows, policy=IGNORE)
    assert totals.rows == {"made": 500}


async def test_what_does_not_go_in_as_a_whole_goes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "ATTEMPTS", 1)
    attempt, sizes = planning._attempt, list[int]()

    async def slow(context: Any, rows: Any, *more: Any) -> Any:
        if len(rows) > 3:
            raise Busy("The write took too long and was undone; try again in a second.")
        sizes.append(len(rows))
        return await attempt(context, rows, *more)

    monkeypatch.setattr(planning, "_attempt", slow)
    rows = "".join(f"{number:013d}{check(number)},Oats {number}\n" for number in range(3_000, 3_010))
    saved: list[int] = []

    async def save(transaction: Any, position: int, share: float, totals: Tally) -> None:
        saved.append(position)
        assert totals.rows == {"made": position}

    context, heard = Context(world.database, caller(world)), Heard()
    files = await prepared(context, [source(f"gtin,name\n{rows}")], Options(policy=IGNORE))
    totals = await run(context, files, heard, saved=save)
    assert (totals.rows, heard.outcomes) == ({"made": 10}, ["made"] * 10)
    assert sizes == [2, 3, 2, 3]
    assert saved == [2, 5, 7, 10]
    # One that ended in the middle of a batch goes on there.
    since = Progress(7, Tally({"rows": {"made": 7}}))
    heard = Heard()
    refusing = files._replace(options=files.options._replace(existing=Existing.REFUSE))
    totals = await run(context, refusing, heard, since=since)
    assert (totals.rows, heard.outcomes) == ({"made": 7, "refused": 3}, ["refused"] * 3)


# --- Files that are none ---


@on_sqlite
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (b"%PDF-1.7 ...", "is no table but a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "(.xls); save it as .xlsx"),
        (
            b"PK\x03\x04....",
            "is no workbook and no archive that can be read: it is cut short or damaged; send it again",
        ),
        (b"gtin,name\0\0\1", "it has bytes that no text has"),
        (bytes(1_000_000), "is no table: it has bytes that no text has"),
        (b"\xff\xfe" + bytes(1_000), "is no table: it has bytes that no text has"),
        (b"\x1b[2J" * 1_000 + b"\n1\n", "Nobody knows the column '\ufffd[2J"),
        ("gtin," + "x" * 100_000 + "\n1,2\n", "Nobody knows the column 'xxx"),
        ("gtin,EAN" + "!" * 100_000 + "\n", "are both gtin"),
        ("gtin,valid from" + "!" * 100_000 + "\n", "is about a certification or a claim, and none is named"),
        ("\a" * 100_000 + "," + "\a" * 100_000 + "\n", "has two columns called '\ufffd"),
        ("<html><body>", "is no table but a page or a document in XML"),
        ("[1, 2", "is not JSON"),
        ('{"a": [], "b": []', "is empty"),
        ("gtin,gtin\n", "has two columns called 'gtin'"),
        ("gtin," * 100_000, "columns, more than 1000; leave out what is not needed"),
        ("gtin" * 2_000_000, "is no table: one of its rows has more than"),
        ('gtin,name\n1,"' + "x" * 1_100_000, "is no row of a table: field larger than field limit"),
        ("name,brand\nOats,Acme\n", "No column holds GTINs"),
        ("gtin,colour\n1,red\n", "Nobody knows the column 'colour'"),
        (f"gtin,valid from\n{RICE},2026-01-01\n", "is about a certification or a claim, and none is named"),
        (f"gtin,EAN\n{RICE},{RICE}\n", "The columns 'gtin' and 'EAN' are both gtin"),
        (b"\x1f\x8b\x08\x00broken", "breaks off or is damaged"),
    ],
)
async def test_what_is_no_table_is_one_sentence_and_nothing_is_done(
    world: World, content: str | bytes, says: str
) -> None:
    before = await everything(world)
    with pytest.raises(InvalidInput) as refused:
        await put(world, content)
    assert says in refused.value.detail
    assert len(refused.value.detail) < 900
    assert refused.value.detail.isprintable()
    assert await everything(world) == before


@on_sqlite
async def test_a_workbook_that_would_blow_up_is_refused_unread(world: World) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    with pytest.raises(InvalidInput, match="would become 64 MiB large in its part xl/worksheets"):
        await put(world, packed.getvalue())
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "gtin")
    with pytest.raises(InvalidInput, match="is an archive, and no Excel workbook"):
        await put(world, packed.getvalue())


def test_a_workbook_that_is_damaged_anywhere_is_refused_or_read() -> None:
    book, saved = openpyxl.Workbook(), io.BytesIO()
    for row in (["GTIN", "Name"], [RICE, "Rice"]):
        book.active.append(row)
    book.save(saved)
    whole, refused = saved.getvalue(), set[str]()
    for at in range(0, len(whole), 23):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            try:
                for found in table_of(io.BytesIO(damaged), "book").rows:
                    assert len(found.cells) == 2
            except InvalidInput as error:
                refused.add(error.detail)
    assert len(refused) > 10
    assert all("\n" not in sentence and len(sentence) < 400 for sentence in refused)
    assert any("(Error -3 while decompressing data" in sentence for sentence in refused)


@on_sqlite
async def test_a_workbook_has_days_numbers_and_formulas(world: World) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    rows: list[list[Any]] = [
        ["GTIN", "Certification", "Valid from", "Certificate number"],
        [614141107346, "USDA_ORGANIC", date(2026, 1, 31), "A-1"],
        [12345678905, "FAIR_TRADE_USA", 46053, 77],
        [RYE, "USDA_ORGANIC", "03/04/2026", "=1+1"],
        [RYE, "USDA_ORGANIC", "2026-01-01", "=HYPERLINK(1)"],
    ]
    for row in rows:
        sheet.append(row)
    saved = io.BytesIO()
    book.save(saved)
    await world.add_product(RICE, world.brand)
    await world.add_product(RYE, world.brand)
    _, heard = await put(world, saved.getvalue(), policy=IGNORE)
    assert heard.outcomes == ["made", "made", "refused", "refused"]
    assert [str(result.done.parts[0].change.after.valid_from) for result in heard.results[:2]] == [
        "2026-01-31",
        "2026-01-31",
    ]
    assert heard.results[1].done.parts[0].change.after.certificate_number == "77"
    assert [note.why for note in heard.results[1].notes] == [
        "zeros before it were lost",
        "it is a day as a spreadsheet counts it",
    ]
    why = "it is two days, 2026-04-03 or 2026-03-04; write it as YYYY-MM-DD"
    assert heard.refusals == {
        4: f'Row 4, column "Valid from": "03/04/2026" cannot be used: {why}; column "Certificate number": "=1+1" cannot'
        " be used: it is a formula; put its value there instead.",
        5: 'Row 5, column "Certificate number": "=HYPERLINK(1)" cannot be used: it is a formula; put its value there'
        " instead.",
    }


@on_sqlite
async def test_unknown_columns_are_kept_as_metadata_or_left_out_when_asked(world: World) -> None:
    rows = f"Code,colour,shape\n{RICE},red,round\n"
    await put(world, rows, columns={"Code": "gtin", "colour": "metadata.paint", "*": "nothing"})
    assert (await product(world, RICE))["metadata"] == {"paint": "red"}
    await put(world, rows.replace("red", "blue"), columns={"Code": "gtin", "*": "metadata"})
    assert (await product(world, RICE))["metadata"] == {"paint": "red", "colour": "blue", "shape": "round"}
    for columns, says in (
        ({"Kode": "gtin"}, "There is no column 'Kode'; its columns are 'Code', 'colour', 'shape'"),
        ({"Code": "gtn"}, "'Code' cannot be 'gtn': did you mean gtin"),
    ):
        with pytest.raises(InvalidInput) as refused:
            await put(world, rows, columns=columns)
        assert says in refused.value.detail


@on_sqlite
async def test_columns_without_a_known_name_are_recognised_by_what_is_in_them(world: World) -> None:
    _, heard = await put(world, f"Nummer;Merkmal\n{GTIN};VEGAN\n{RICE};NON_GMO\n", policy=IGNORE)
    assert [(column.name, column.target.shown, column.how) for column in heard.tables[0][1].columns] == [
        ("Nummer", "gtin", "content"),
        ("Merkmal", "claim.code", "content"),
    ]
    assert heard.outcomes == ["made", "refused"]


@on_sqlite
async def test_a_row_with_more_cells_than_the_head_and_one_in_another_encoding_are_refused(world: World) -> None:
    rows = (
        b"gtin,name\n" + f"{RICE},R\xe4is,more\n".encode() + b"x" * (1 << 18) + b",\n" + f"{RYE},".encode() + b"R\xe9\n"
    )
    totals, heard = await put(world, rows, policy=IGNORE)
    assert "it has 3 cells, and the head 2" in heard.refusals[2]
    assert heard.refusals[4].startswith('Row 4, column "name": "R')
    assert "it holds bytes of another encoding than the file's; type it anew, or save" in heard.refusals[4]
    assert "it is not encoded as the rest (string_unicode)" in next(reversed(totals.refusals))


async def test_claims_and_certificates_that_are_gone_meanwhile_are_made_again(world: World) -> None:
    graphql = GraphQL(world)
    rows = f"gtin,claim\n{GTIN},NON_GMO\n"
    await put(world, rows)
    assert (await graphql.remove_claim(GTIN, NON_GMO)).ok
    _, heard = await put(world, rows)
    assert heard.outcomes == ["made"]


async def test_several_at_once_end_as_one_after_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    rows = [f"{number:013d}{check(number)},Oats {number},USDA_ORGANIC\n" for number in range(2_000, 2_100)]
    head = "gtin,name,certification\n"
    contents = (head + "".join(rows), head + "".join(reversed(rows)), head + "".join(rows[::2] + rows[1::2]))
    made = await asyncio.gather(*(put(world, content, policy=IGNORE) for content in contents))
    assert sum(totals.things["product made"] for totals, _ in made) == 100
    assert sum(totals.things["certification made"] for totals, _ in made) == 100
    assert [totals.rows["refused"] for totals, _ in made] == [0, 0, 0]
    assert len(await world.rows(tables.products)) == 102


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_was_judged_is_copied_by_one_statement_for_each_table(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    copy = PostgresqlConnection.copy_to_table

    async def counted(self: Any, table: str, **how: Any) -> Any:
        copied.append(table)
        return await copy(self, table, **how)

    monkeypatch.setattr(PostgresqlConnection, "copy_to_table", counted)
    rows = "".join(f"{gtin_of(number)},Oats {number},USDA_ORGANIC\n" for number in range(210))
    totals, _ = await put(world, f"gtin,name,certification\n{rows}")
    assert totals.rows == {"made": 210}
    assert copied == ["products", "certification_assignments", "changes"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_only_judged_waits_for_nobody(world: World) -> None:
    judged = asyncio.Event()

    class Watching(Heard):
        def began(self, *, judging: bool, since: Progress) -> None:
            super().began(judging=judging, since=since)
            if not judging:
                judged.set()

    rows = source(f"gtin,name,certification,certificate number\n{GTIN},Brown rice,USDA_ORGANIC,2\n")
    context = Context(world.database, caller(world))
    async with world.database.write() as transaction:
        assert await products.lock(transaction, Gtin(GTIN), [world.brand])
        assert await certifications.lock_many(transaction, [Gtin(GTIN)], [world.brand])
        putting_in = asyncio.ensure_future(run_all(context, [rows], Options(), Watching()))
        waiting = asyncio.ensure_future(judged.wait())
        await asyncio.wait([putting_in, waiting], return_when=asyncio.FIRST_COMPLETED)
        assert judged.is_set()
    assert (await putting_in).rows == {"changed": 1}


async def test_a_row_of_an_export_does_not_undo_what_was_changed_since(world: World) -> None:
    """Neither of a product nor of what it holds; what changes nothing has nothing to undo."""
    kept = "id,created_at,updated_at,version"
    for head, row, new, old in (
        ("gtin,brand", GTIN, "Newer", "Older"),
        ("gtin,certification_code,verification_status", f"{GTIN},USDA_ORGANIC", "verified", "expired"),
    ):
        await put(world, f"{head}\n{row},{old}\n")
        totals, _ = await put(world, f"{head}\n{row},{new}\n")
        assert totals.rows == {"changed": 1}
        totals, heard = await put(world, f"{head},{kept}\n{row},{old},,,,1\n")
        assert totals.rows == {"refused": 1}
        assert "was changed after this row was written" in heard.refusals[2]
        totals, _ = await put(world, f"{head},{kept}\n{row},{new},,,,1\n")
        assert totals.rows == {"left": 1}
        totals, _ = await put(world, f"{head},{kept}\n{row},{old},,,,\n")
        assert totals.rows == {"changed": 1}
