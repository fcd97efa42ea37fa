"""All that an organisation has as one ZIP, and back; and what happens to a ZIP that is not as it was written."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from typing import IO, Any, cast
from warnings import catch_warnings, simplefilter

import msgspec
import pytest

from db import definitions, public_proofs, views
from db.sql import tables
from db.sql.types import among
from domain.access import Caller
from domain.acknowledgements import AcknowledgeCertification, AcknowledgeClaim
from domain.calendars import CreateCalendar
from domain.commands import (
    ArchiveProduct,
    RenewCertification,
    RestoreProduct,
    SuspendCertification,
    WithdrawCertification,
)
from domain.errors import InvalidInput
from domain.gtin import Gtin
from domain.lead_times import SetLeadTimes
from domain.paging import Page, Window
from domain.public_proof import PublicProof, SetPublicProof
from domain.records import Certification, CertificationBody, Organization
from domain.short_id import ShortId
from domain.views import CreateView, PatchView
from domain.vocabulary import BulkPolicy, Role
from files.archives import writing
from files.archives.putting import put_settings
from files.archives.reading import is_archive, missing, opened
from files.importing import Options, SourceFile, Tally, prepared, run
from files.lists import PAGE
from files.reading.opening import table_of
from resolvers.acknowledgements import acknowledge_certification, acknowledge_claim
from resolvers.calendars import create_calendar
from resolvers.certifications import renew_certification, suspend_certification, withdraw_certification
from resolvers.lead_times import set_lead_times
from resolvers.listed import LISTS
from resolvers.operation import Context
from resolvers.own_settings import OwnSettings
from resolvers.products import archive_product, restore_product
from resolvers.public_proof import set_public_proof
from resolvers.views import create_view, patch_view
from tests.domain.making import held
from tests.files.importing import RICE, RYE, Heard, put, source
from tests.log import log, replay, settled, stored
from tests.world import FAIR_TRADE, GTIN, NOTHING, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

ROWS = [
    {
        "gtin": RICE,
        "name": 'Rice, "brown"',
        "brand": "Acme",
        "metadata": {"a": "1", "=b": "Ä\n💚"},
        "certifications": ["USDA_ORGANIC", "FAIR_TRADE_USA"],
        "claims": ["VEGAN"],
    },
    {"gtin": RYE, "name": "Rye", "brand": "Acme", "certifications": [PRIVATE], "claims": ["NON_GMO", "VEGAN"]},
]
PARTS = [
    *("certifications.jsonl", "claims.jsonl", "lead_times.jsonl", "manifest.json", "own_certifications.jsonl"),
    *("products.jsonl", "public_proof.jsonl", "views.jsonl"),
]
SETTINGS = ("lead_times.jsonl", "public_proof.jsonl", "views.jsonl")
OWN_SETTINGS = (tables.views, tables.lead_times, tables.public_proofs)
Parts = dict[str, bytes]


def owner(world: World) -> Organization:
    return Organization(world.brand, "brand", "Brand")


def context(world: World, role: Role = Role.MANAGER) -> Context:
    return Context(world.database, Caller(None, None, role, owner(world)))


async def written(world: World) -> bytes:
    file = io.BytesIO()
    await writing.write(context(world, Role.READONLY), owner(world), file)
    return file.getvalue()


async def put_back(world: World, data: bytes, **options: Any) -> tuple[Tally, Heard]:
    archive, heard = opened(source(data, "brand.zip"), owner(world)), Heard()
    asked = context(world)
    lacking = await missing(asked, archive)
    files = await prepared(asked, archive.sources, Options(**options), lacking.certifications)
    totals = await run(asked, files, heard)
    if not totals.rows["refused"] and not options.get("dry_run"):
        await put_settings(asked, lacking)
    return totals, heard


async def clear(world: World) -> None:
    """Leaves nothing of the brand but the organisation itself."""
    async with world.database.write() as transaction:
        for table in (*tables.ASSIGNED.values(), tables.products):
            await transaction.execute(table.delete().where(among(table.c.gtin, "gtins")), {"gtins": [RICE, RYE, GTIN]})
        for table in (tables.certifications, *OWN_SETTINGS):
            await transaction.execute(table.delete().where(table.c.organization_id == world.brand))


async def everything(world: World) -> list[Any]:
    held = (*tables.ASSIGNED.values(), *tables.ACKNOWLEDGED.values(), tables.earlier_certificates)
    return [await world.rows(table) for table in (*held, tables.products, tables.certifications, *OWN_SETTINGS)]


@pytest.fixture
async def stocked(world: World) -> World:
    """Products of the brand with notes, private certificates and evidence; one of them is archived.

    One certification was renewed twice and is suspended, another one withdrawn; a lapse of each kind is taken on, and
    one that a renewal ended. Views, lead times and the public proof are as managers have set them.
    """
    await put(world, json.dumps(ROWS))
    organic = {"gtin": RICE, "certification_id": USDA_ORGANIC}
    in_time = {"until": f"{context(world).today}", "reason": "The audit is on Monday – 💚"}
    for year in ("2025", "2026"):
        days = {"valid_from": f"{year}-01-01", "expiration_date": f"{year}-12-31", "certificate_countries": ["US"]}
        await renew_certification(context(world), RenewCertification.parse({**organic, **days, "scope": "Größe"}))
        if year == "2025":
            await acknowledge_certification(context(world), AcknowledgeCertification.parse({**organic, **in_time}))
    await suspend_certification(context(world), SuspendCertification.parse({**organic, "reason": "Residues"}))
    fair = {"gtin": RICE, "certification_id": FAIR_TRADE, "withdrawn_on": "2026-02-28", "reason": "Fraud"}
    await withdraw_certification(context(world), WithdrawCertification.parse(fair))
    await put(world, f"gtin,claim,evidence_note,valid_from\n{RICE},VEGAN,Lab report 7,2026-01-01\n")
    await put(world, f"gtin,claim,expiration_date\n{RYE},VEGAN,2099-12-31\n")
    await acknowledge_claim(context(world), AcknowledgeClaim.parse({"gtin": RYE, "claim_id": VEGAN, **in_time}))
    await archive_product(context(world), ArchiveProduct.parse({"gtin": RYE}))
    await arrange(world)
    return world


async def arrange(world: World) -> None:
    """Makes the views, lead times, calendars and the public proof of the brand, as its managers do."""
    of = {"organization_id": world.brand}
    lapsing = {"name": "Zürich", "kind": "certifications", "where": '{"lapsesWithin": {"days": 90}}'}
    await create_view(context(world), CreateView.parse({**of, **lapsing}))
    every = {"name": "all", "kind": "products", "ordering": "-gtin"}
    view = await create_view(context(world), CreateView.parse({**of, **every}))
    await patch_view(context(world), PatchView.parse({**of, "view_id": view.after.id, "name": "Everything"}))
    await create_calendar(context(world), CreateCalendar.parse({**of, "view_id": view.after.id}))
    for times in ({"days": [120, 7]}, {"days": [30], "for_certification": PRIVATE}):
        await set_lead_times(context(world), SetLeadTimes.parse({**of, **times}))
    await set_public_proof(context(world), SetPublicProof.parse({**of, "is_enabled": True}))


async def test_what_goes_out_comes_back_byte_by_byte(stocked: World) -> None:
    first, before = await written(stocked), await everything(stocked)
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert sorted(archive.namelist()) == PARTS
        manifest = json.loads(archive.read("manifest.json"))
        assert {name: part["rows"] for name, part in manifest["parts"].items()} == {
            "own_certifications.jsonl": 1,
            "products.jsonl": 3,
            "certifications.jsonl": 4,
            "claims.jsonl": 3,
            "views.jsonl": 2,
            "lead_times.jsonl": 2,
            "public_proof.jsonl": 1,
        }
        assert [each["id"] for each in manifest["definitions"]["certification"]] == sorted(
            [USDA_ORGANIC, FAIR_TRADE, PRIVATE]
        )
        content = b"".join(map(archive.read, PARTS))
    assert b"Lab report 7" in content
    assert OTHERS_GTIN.encode() not in content
    # Put in where all of it is, it changes nothing.
    totals, _ = await put_back(stocked, first)
    assert totals.rows == {"left": 10}
    await clear(stocked)
    empty = await everything(stocked)
    assert GTIN not in str(empty)
    totals, heard = await put_back(stocked, first, dry_run=True)
    assert (totals.rows, heard.refusals) == ({"made": 10}, {})
    assert await everything(stocked) == empty
    totals, heard = await put_back(stocked, first)
    assert (totals.rows, heard.refusals) == ({"made": 10}, {})
    assert await everything(stocked) == before
    assert await written(stocked) == first
    # What was archived is in no list before it is restored, as where it comes from.
    assert await definitions.current(stocked.database)
    await restore_product(context(stocked), RestoreProduct.parse({"gtin": RYE}))
    assert await written(stocked) != first


async def test_an_organisation_that_has_nothing_has_an_archive_too(world: World) -> None:
    await clear(world)
    data = await written(world)
    totals, _ = await put_back(world, data)
    assert totals.rows == {}
    assert await written(world) == data


async def test_what_comes_back_is_told_in_the_log(stocked: World) -> None:
    data = await written(stocked)
    await clear(stocked)
    told = len(await log(stocked))
    await put_back(stocked, data)
    new = (await log(stocked))[told:]
    operations = [row.operation for row in new]
    expected = {"acknowledgeCertification": 1, "acknowledgeClaim": 1, "restoreView": 2, "setPublicProof": 1}
    assert {name: operations.count(name) for name in expected} == expected
    there, said = settled(await stored(stocked)), settled(replay(new))
    for kind in ("acknowledgement", "view", "public_proof"):
        assert said[kind] == there[kind] != {}
    # What the brand had is left; whoever reads it has its address.
    assert await stocked.rows(tables.calendars) == []


async def test_settings_that_are_there_stay_as_they_are(stocked: World) -> None:
    data = await written(stocked)
    of = {"organization_id": stocked.brand}
    for times in ({"days": [5]}, {"days": [6], "for_certification": PRIVATE}):
        await set_lead_times(context(stocked), SetLeadTimes.parse({**of, **times}))
    await set_public_proof(context(stocked), SetPublicProof.parse({**of, "is_enabled": False}))
    view = await views.find_by_name(stocked.database, stocked.brand, "Everything")
    assert view is not None
    await patch_view(context(stocked), PatchView.parse({**of, "view_id": view.id, "name": "Whatever"}))
    before = await everything(stocked)
    await put_back(stocked, data)
    assert await everything(stocked) == before
    assert await public_proofs.find(stocked.database, stocked.brand) == PublicProof(stocked.brand, is_enabled=False)


async def test_a_view_of_a_name_that_another_one_has_is_refused_before_anything_is_done(stocked: World) -> None:
    data = await written(stocked)
    await clear(stocked)
    named = {"organization_id": stocked.brand, "name": "Everything", "kind": "products"}
    await create_view(context(stocked), CreateView.parse(named))
    before = await everything(stocked)
    with pytest.raises(InvalidInput, match="has another view with the name 'Everything'; rename one of the two first"):
        await put_back(stocked, data)
    assert await everything(stocked) == before


async def test_an_archive_from_before_there_were_settings_in_it_comes_back(stocked: World) -> None:
    parts = parts_of(await written(stocked))
    for name in ("certifications.jsonl", "claims.jsonl"):
        rows = [json.loads(line) for line in parts[name].splitlines()]
        for row in rows:
            del row["acknowledgements"]
        parts[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    older = {name: content for name, content in parts.items() if name not in SETTINGS}
    said = {name: content_of(content) for name, content in older.items() if name != "manifest.json"}
    data = with_manifest(version=1, parts=said)(older)
    await clear(stocked)
    totals, heard = await put_back(stocked, data)
    assert (totals.rows, heard.refusals) == ({"made": 10}, {})
    for table in (*tables.ACKNOWLEDGED.values(), *OWN_SETTINGS):
        assert await stocked.rows(table) == []


async def test_own_certifications_and_settings_come_back_where_there_are_no_products(stocked: World) -> None:
    async with stocked.database.write() as transaction:
        for table in (*tables.ASSIGNED.values(), tables.products):
            await transaction.execute(table.delete().where(among(table.c.gtin, "gtins")), {"gtins": [RICE, RYE, GTIN]})
    data, before = await written(stocked), await everything(stocked)
    await clear(stocked)
    await put_back(stocked, data)
    assert await everything(stocked) == before
    assert await written(stocked) == data


async def test_a_refused_row_leaves_nothing_of_it(stocked: World) -> None:
    data = await written(stocked)
    await clear(stocked)
    await stocked.add_product(RICE, stocked.rival)
    before = await everything(stocked)
    totals, heard = await put_back(stocked, data, policy=BulkPolicy.REJECT_ALL)
    assert totals.rows["refused"] > 0
    assert "belongs to another organisation" in str(heard.refusals)
    assert await everything(stocked) == before


def parts_of(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Parts, *more: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # Python warns of a name that is there twice.
        simplefilter("ignore", UserWarning)
        for name, content in (*parts.items(), *more):
            archive.writestr(name, content)
    return file.getvalue()


def with_manifest(**members: Any) -> Callable[[Parts], bytes]:
    def change(parts: Parts) -> bytes:
        manifest = json.loads(parts["manifest.json"]) | members
        return packed(parts | {"manifest.json": json.dumps(manifest).encode()})

    return change


def content_of(content: bytes) -> dict[str, Any]:
    return {"rows": content.count(b"\n"), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def with_own(content: bytes, part: str = "own_certifications.jsonl") -> Callable[[Parts], bytes]:
    """With that for certifications of its own, or another part, and a manifest that says so."""

    def change(parts: Parts) -> bytes:
        said = json.loads(parts["manifest.json"])["parts"] | {part: content_of(content)}
        return with_manifest(parts=said)(parts | {part: content})

    return change


def encrypted(parts: Parts) -> bytes:
    data = bytearray(packed(parts))
    # The flags of every part, in its own head and in the directory.
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + at] |= 1
            place = data.find(mark, place + 1)
    return bytes(data)


OTHER_NAME = {"id": FAIR_TRADE[::-1], "code": "NO_SUCH", "label": "None"}
WRONG: dict[str, tuple[Callable[[Parts], bytes], str]] = {
    "a changed row": (
        lambda parts: packed(parts | {"products.jsonl": parts["products.jsonl"].replace(b"Rice", b"Dice")}),
        "its part products.jsonl was changed; export it again",
    ),
    "a row less": (
        lambda parts: packed(parts | {"claims.jsonl": parts["claims.jsonl"].partition(b"\n")[2]}),
        "its part claims.jsonl was changed; export it again",
    ),
    "no claims": (
        lambda parts: packed({name: parts[name] for name in parts if name != "claims.jsonl"}),
        "lacks a part, or has one twice; export it again",
    ),
    "a part twice": (
        lambda parts: packed(parts, ("claims.jsonl", b"")),
        "lacks a part, or has one twice; export it again",
    ),
    "a way out": (
        lambda parts: packed(parts, ("../../etc/cron.d/own", b"* * * * * root true\n")),
        "has a part '../../etc/cron.d/own', which no archive has; export it again",
    ),
    "a bomb": (
        lambda parts: packed(parts | {"products.jsonl": b"\n" * (64 << 20)}),
        "its part products.jsonl was changed; export it again",
    ),
    "a key": (encrypted, "is not as it was written"),
    "another program": (with_manifest(format="backup"), "is an archive of another program"),
    "a later version": (with_manifest(version=3, more=True), "its format is 3, this one reads 1 and 2"),
    "a member more": (with_manifest(more=True), "its part manifest.json was changed"),
    "no manifest that can be read": (
        lambda parts: packed(parts | {"manifest.json": b"[" * 100_000}),
        "its part manifest.json was changed",
    ),
    "a part that the manifest does not know": (with_manifest(parts={}), "its part manifest.json was changed"),
    "another organisation": (
        with_manifest(organization="rival"),
        "is of the organisation 'rival', not of 'brand'; put it in for the one that it is of",
    ),
    "what is not in the catalogue": (
        with_manifest(definitions={"certification": [OTHER_NAME], "claim": []}),
        "names the certification NO_SUCH, which is not here; load the catalogue",
    ),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_not_as_it_was_written_is_one_sentence_and_nothing_is_done(stocked: World, what: str) -> None:
    change, says = WRONG[what]
    data = change(parts_of(await written(stocked)))
    await clear(stocked)
    before = await everything(stocked)
    with pytest.raises(InvalidInput) as refused:
        await put_back(stocked, data)
    (violation,) = refused.value.violations
    assert violation.message.startswith("brand.zip ")
    assert says in violation.message
    assert "\n" not in violation.message
    assert await everything(stocked) == before


async def test_a_body_that_is_not_here_is_asked_for(stocked: World) -> None:
    parts = parts_of(await written(stocked))
    own = json.loads(parts["own_certifications.jsonl"])
    elsewhere = CertificationBody(ShortId("b" * 22), "", "Nobody's seals", "", "", None, "", "")
    line = json.dumps(own | {"body": msgspec.to_builtins(elsewhere)}).encode() + b"\n"
    await clear(stocked)
    before = await everything(stocked)
    with pytest.raises(InvalidInput) as refused:
        await put_back(stocked, with_own(line)(parts))
    (violation,) = refused.value.violations
    called = own["code"] or own["label"]
    assert violation.message == f"The body of the certification {called!r} is not here; load the catalogue that has it"
    assert await everything(stocked) == before


@pytest.mark.parametrize("line", [b"[]", b"{", b'{"id": 1}', b'{"body": []}'])
async def test_what_is_no_certification_is_named_by_its_line(stocked: World, line: bytes) -> None:
    parts = parts_of(await written(stocked))
    data = with_own(parts["own_certifications.jsonl"] + line + b"\n")(parts)
    with pytest.raises(InvalidInput) as refused:
        opened(source(data, "brand.zip"), owner(stocked))
    (violation,) = refused.value.violations
    says = "line 2 of own_certifications.jsonl in brand.zip is no certification; export it again"
    assert violation.message == says


@pytest.mark.parametrize(
    ("part", "members", "says"),
    [
        ("views.jsonl", {"kind": "people"}, "is no view"),
        ("views.jsonl", {"name": "x" * 256}, "is no view"),
        ("views.jsonl", {"created_at": "2026-01-01T00:00:00"}, "is no view"),
        ("lead_times.jsonl", {"days": [0]}, "is no set of lead times"),
        ("public_proof.jsonl", {"is_enabled": 7}, "is no public proof"),
    ],
)
async def test_what_no_member_could_have_set_is_named_by_its_line(
    stocked: World, part: str, members: dict[str, Any], says: str
) -> None:
    parts = parts_of(await written(stocked))
    first = json.loads(parts[part].splitlines()[0]) | members
    with pytest.raises(InvalidInput, match=rf"line 1 of {part} in brand.zip {says}; export it again"):
        opened(source(with_own(json.dumps(first).encode() + b"\n", part)(parts), "brand.zip"), owner(stocked))


async def test_two_views_of_one_id_or_name_are_refused_before_anything_is_done(stocked: World) -> None:
    parts = parts_of(await written(stocked))
    await clear(stocked)
    before = await everything(stocked)
    first, second = map(json.loads, parts["views.jsonl"].splitlines())
    for alike, says in (
        ({"id": first["id"]}, "the id of another view"),
        ({"name": first["name"]}, "another view with"),
    ):
        content = b"".join(json.dumps(view).encode() + b"\n" for view in (first, second | alike))
        with pytest.raises(InvalidInput, match=says):
            await put_back(stocked, with_own(content, "views.jsonl")(parts))
    assert await everything(stocked) == before


async def test_that_a_lapse_was_taken_on_is_judged_with_its_row(world: World) -> None:
    kept = {"id": NOTHING, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1}
    row = {"gtin": GTIN, "claim": {"code": "VEGAN"}, "expiration_date": "2099-12-31", **kept}
    said = {"until": "2099-01-01", "reason": "", "lapses_on": "2099-12-31", "created_at": "2026-01-01T00:00:00Z"}
    totals, heard = await put(world, json.dumps(row | {"acknowledgements": [said]}))
    assert totals.rows == {"refused": 1}
    assert "reason" in str(heard.refusals)
    totals, _ = await put(world, json.dumps(row | {"acknowledgements": [said | {"reason": "Soon"}]}))
    assert totals.rows == {"made": 1}
    assert len(await world.rows(tables.ACKNOWLEDGED["claims"])) == 1


async def test_an_archive_that_breaks_off_anywhere_is_refused(stocked: World) -> None:
    data = await written(stocked)
    await clear(stocked)
    before = await everything(stocked)
    for length in range(0, len(data), 97):
        broken = source(data[:length], "brand.zip")
        assert not is_archive(broken)
        with pytest.raises(InvalidInput, match=r"brand.zip .*again|is empty|no workbook") as refused:
            opened(broken, owner(stocked))
        assert len(refused.value.violations) == 1
        if length > 4:
            with pytest.raises(InvalidInput, match="is no workbook and no archive that can be read"):
                table_of(broken.open(), broken.name)
    # A byte that turned over is found by what the manifest says, wherever it is.
    for place in range(0, len(data), 101):
        altered = bytearray(data)
        altered[place] ^= 0x55
        changed = source(bytes(altered), "brand.zip")
        try:
            archive = opened(changed, owner(stocked))
        except InvalidInput:
            continue
        for part in archive.sources:
            with part.open() as content:
                assert content.read() == parts_of(data)[part.name]
    assert await everything(stocked) == before


async def test_certifications_of_its_own_are_made_once_and_not_in_the_place_of_others(stocked: World) -> None:
    data = await written(stocked)
    await clear(stocked)
    (own,) = (
        msgspec.json.decode(line, type=dict[str, Any])
        for line in parts_of(data)["own_certifications.jsonl"].splitlines()
    )
    async with stocked.database.write() as transaction:
        row = {name: own[name] for name in Certification.__struct_fields__[:-1]}
        await transaction.insert(tables.certifications, {**row, "label": "Another seal", "body_id": None})
    before = await everything(stocked)
    with pytest.raises(InvalidInput, match="is another one here; make the two alike first"):
        await put_back(stocked, data)
    assert await everything(stocked) == before


class Pipe:
    """Where nothing can be sought and nothing stays."""

    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


async def peak(monkeypatch: pytest.MonkeyPatch, number: int) -> int:
    """The most bytes that were held while so many pages of each list were written."""
    record = held(certificate_number="NOP-1", metadata={"lot": "7"})

    async def page(_: Any, where: Any, order: Any, window: Window) -> Page[Any]:
        at = 0 if window.position is None else int(window.position[0]) // PAGE + 1
        gtins = (Gtin(f"{at * PAGE + place:014}") for place in range(PAGE))
        return Page([msgspec.structs.replace(record, gtin=gtin) for gtin in gtins], at < number - 1)

    async def none(_: Any, held: Sequence[Any] = ()) -> list[Any]:
        return [[] for _ in held]

    async def none_said(_: Any, noun: str, held: Sequence[Any]) -> list[Any]:
        return [None for _ in held]

    async def nothing_set(_: Any) -> OwnSettings:
        return OwnSettings()

    listed = LISTS["certifications"]._replace(page=page)
    monkeypatch.setattr(writing, "LISTS", ("certifications",))
    monkeypatch.setattr(writing, "EXPORTED", {"certifications": listed})
    monkeypatch.setattr(writing, "own_certifications", none)
    monkeypatch.setattr(writing, "kept_of", none)
    monkeypatch.setattr(writing, "said_of", none_said)
    monkeypatch.setattr(writing, "own_settings", nothing_set)
    of = Organization(record.organization_id, "own", "Own")
    asked = Context(None, Caller(None, None, Role.READONLY, of))  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        await writing.write(asked, of, cast("IO[bytes]", Pipe()))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_ten_times_the_rows_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    await peak(monkeypatch, 1)
    few, many = await peak(monkeypatch, 3), await peak(monkeypatch, 30)
    assert many < few + (1 << 18)
    assert many < 4 << 20


def test_a_part_is_read_as_a_file_is() -> None:
    text = b"".join(b'{"gtin": "%d"}\n' % number for number in range(5_000))
    parts: Parts = {"manifest.json": b"{}", "products.jsonl": text}
    from files.archives.reading import _opening

    file = SourceFile("products.jsonl", len(text), _opening(lambda: io.BytesIO(packed(parts)), "products.jsonl"))
    with file.open() as content:
        assert content.read(10) == text[:10]
        content.seek(0)
        assert content.tell() == 0
        assert [*content] == text.splitlines(keepends=True)
        assert content.tell() == len(text)
    # A part that has gone meanwhile leaves nothing open.
    left = io.BytesIO(packed({"manifest.json": b"{}"}))
    with pytest.raises(KeyError, match="products"):
        _opening(lambda: left, "products.jsonl")()
    assert left.closed
