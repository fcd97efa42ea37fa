"""The chain over the log of changes: what is broken is named, and a checkpoint proves what came before it."""

import asyncio
from base64 import b64decode
from hashlib import sha256
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Table, delete, make_url, update

from db import feed, sealing
from db.engine.opening import open_database
from db.past import KINDS
from db.sealing import Sealer, Verified
from db.secrets import log_secret
from db.sql.tables import changes, sealed
from domain.sealing import BEGINNING, Checkpoint, link
from gateway.notes import NoCheckpoint, Signer
from tests.log import by_hand, catch_up, log
from tests.operations.mutations import MUTATIONS, prepare, run
from tests.turns import each_turn
from tests.world import NOON, World, told


async def verified(world: World) -> Verified:
    return await sealing.verify(world.database)


async def chain(world: World) -> list[tuple[int, int]]:
    return sorted((position, seq) for position, seq, _, _ in await world.rows(sealed))


async def write(world: World) -> None:
    await run(world, "assignClaim", MUTATIONS["assignClaim"].input)


async def test_all_that_was_committed_is_sealed_once_in_its_order(world: World) -> None:
    await prepare(world)
    await catch_up(world)
    number = await Sealer(world.database).seal()
    told = [row.seq for row in await log(world)]
    assert number == len(told)
    assert await chain(world) == [*enumerate(told, start=1)]
    assert await Sealer(world.database).seal() == 0

    await write(world)
    found = await verified(world)
    assert (found.checkpoint.size, found.waiting, found.broken) == (number, 1, None)
    assert await Sealer(world.database).seal() == 1
    assert (await verified(world)).checkpoint == await sealing.checkpoint(world.database)
    assert (await verified(world)).waiting == 0


async def test_more_than_a_batch_by_two_at_once(world: World, database_url: str) -> None:
    await Sealer(world.database).seal()
    assert await sealing.waiting(world.database) == (0, None)
    async with world.database.write() as transaction:
        await transaction.insert_in_parts(changes, [_noise(number) for number in range(sealing.BATCH * 2 + 7)])
    assert await sealing.waiting(world.database) == (sealing.BATCH, NOON)
    other = await open_database(database_url)
    try:
        await asyncio.gather(Sealer(world.database).seal(), Sealer(other).seal())
    finally:
        await other.close()
    assert [seq for _, seq in await chain(world)] == sorted(row.seq for row in await log(world))
    assert [position for position, _ in await chain(world)] == [*range(1, len(await log(world)) + 1)]
    assert (await verified(world)).broken is None


async def test_others_have_their_turn_while_much_is_sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.database.write() as transaction:
        await transaction.insert_in_parts(changes, [_noise(number) for number in range(sealing.BATCH)])
    made = most = 0

    def counted(before: str, row: dict[str, Any]) -> str:
        nonlocal made
        made += 1
        return link(before, row)

    def turn() -> None:
        nonlocal made, most
        made, most = 0, max(made, most)

    monkeypatch.setattr(sealing, "link", counted)
    with each_turn(turn):
        await Sealer(world.database).seal()
    assert 0 < most <= sealing.ROWS_A_TURN


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_has_sealed_much_has_the_database_look_how_much_there_is(world: World) -> None:
    """Else the feed and the sealer go through the whole log each time, as was best while it was empty."""
    async with world.database.write() as transaction:
        await transaction.count_anew([changes, sealed])
        rows = [told({"id": f"id{at}", "gtin": f"{at:014d}"}, owner=world.brand) for at in range(3_000)]
        await transaction.insert_in_parts(changes, rows)
    await Sealer(world.database).seal()
    values = {"after": 0, "limit": 25, "kinds": KINDS, "owner_0": world.brand}
    for read, given in ((feed._read(1, hides=False), values), (sealing._LAST, {})):
        plan = await world.database.plan(read.compiled(world.database.dialect).statement, given)
        assert any("ix_changes_seq" in line for line in plan), plan
        assert not any(way in line for line in plan for way in ("Seq Scan", "Sort")), plan


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_new_sealer_passes_over_nothing_that_was_committed_late(world: World) -> None:
    await Sealer(world.database).seal()
    async with world.database.write() as late, world.database.write() as later:
        async with world.database.write() as first:
            for transaction, number in ((first, 1), (late, 2), (later, 3), (first, 4), (late, 5)):
                await transaction.insert(changes, _noise(number))
        await Sealer(world.database).seal()
    await Sealer(world.database).seal()
    places = dict(await chain(world))
    told = {row.seq: int(row.object_id) for row in await log(world) if row.operation == "noise"}
    assert [told[seq] for _, seq in sorted(places.items()) if seq in told] == [1, 4, 2, 5, 3]
    assert (await verified(world)).waiting == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_transaction_in_another_database_of_the_server_holds_nothing_up(
    world: World, database_url: str
) -> None:
    elsewhere = await asyncpg.connect(make_url(database_url).set(database="postgres").render_as_string(False))
    async with elsewhere.transaction():
        await elsewhere.execute("SELECT pg_current_xact_id()")
        async with world.database.write() as transaction:
            await transaction.insert(changes, _noise(1))
            # Not yet: this one is under way here.
            await Sealer(world.database).seal()
            sealed_before = await chain(world)
        assert len(sealed_before) == len(await log(world)) - 1
        assert await Sealer(world.database).seal() == 1
    await elsewhere.close()


def _noise(number: int) -> dict[str, Any]:
    return {
        **dict.fromkeys(("operation", "credential", "credential_id", "request_id"), "noise"),
        "at": NOON,
        "object_id": str(number),
        "gtin": "",
        "organization_id": None,
        "record": {"größe": number, "a": "\u2028"},
        "members": None,
        "user_id": None,
        "acting_id": None,
        "kind": "organization",
        "face": "rest",
    }


async def test_what_was_changed_by_hand_is_named(world: World, database_url: str) -> None:
    await prepare(world)
    await write(world)
    await Sealer(world.database).seal()
    seq = (await log(world))[-1].seq
    await by_hand(database_url, update(changes).where(changes.c.seq == seq).values(request_id="another"))
    broken = (await verified(world)).broken
    assert broken is not None
    assert (broken.seq, broken.why) == (seq, "it is not what was sealed")
    assert broken.row is not None
    assert broken.row["operation"] == "assignClaim"


async def test_what_was_taken_out_is_named(world: World, database_url: str) -> None:
    await prepare(world)
    await Sealer(world.database).seal()
    seqs = [row.seq for row in await log(world)]
    await by_hand(database_url, delete(changes).where(changes.c.seq == seqs[1]))
    broken = (await verified(world)).broken
    assert broken is not None
    assert (broken.seq, broken.why, broken.row) == (seqs[1], "it is gone", None)

    await by_hand(database_url, delete(sealed).where(sealed.c.seq.in_(seqs[1:3])))
    broken = (await verified(world)).broken
    assert broken is not None
    assert (broken.seq, broken.why) == (seqs[3], "2 that were sealed before it are gone")


@pytest.mark.parametrize("table", [changes, sealed], ids=lambda table: table.name)
async def test_the_database_refuses_to_change_either(world: World, table: Table) -> None:
    await prepare(world)
    await Sealer(world.database).seal()
    first = table.c[0]
    for statement in (update(table).values({first.name: first}), delete(table)):
        with pytest.raises(Exception, match="only added to"):
            async with world.database.write() as transaction:
                await transaction.execute(statement)


async def test_a_checkpoint_proves_what_came_before(world: World, database_url: str) -> None:
    await prepare(world)
    await Sealer(world.database).seal()
    signer = Signer(await log_secret(world.database))
    note = signer.signed(await sealing.checkpoint(world.database))
    await write(world)
    await Sealer(world.database).seal()
    kept = signer.read(note)
    assert await sealing.hash_at(world.database, kept.size) == kept.hash

    # Who may change everything makes a chain that holds in itself.
    await by_hand(database_url, update(changes).values(request_id="another"), delete(sealed))
    await Sealer(world.database).seal()
    assert (await verified(world)).broken is None
    assert await sealing.hash_at(world.database, kept.size) != kept.hash


def test_a_note_is_what_the_specification_says() -> None:
    signer = Signer("11" * 32)
    note = signer.signed(Checkpoint(7, BEGINNING))
    name, key_id, encoded = signer.verifier.split("+", 2)
    key = b64decode(encoded)
    assert bytes.fromhex(key_id) == sha256(name.encode() + b"\n" + key).digest()[:4]
    body, signature = note.split("\n\n")
    assert body.split("\n") == [name, "7", BEGINNING]
    dash, signed_by, line = signature.removesuffix("\n").split(" ")
    assert (dash, signed_by, b64decode(line)[:4].hex()) == ("—", name, key_id)
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(b64decode(line)[4:], f"{body}\n".encode())
    assert signer.read(note) == Checkpoint(7, BEGINNING)
    # Others may sign it, too.
    assert signer.read(f"{note}— example.org/witness {line}\n") == Checkpoint(7, BEGINNING)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda note: note.replace("\n7\n", "\n8\n"), "not signed by this installation"),
        (lambda note: note.split("\n\n")[0], "not signed by this installation"),
        (lambda note: f"{note.split('— ', maxsplit=1)[0]}— certgate-00000000 AAAA\n", "not signed"),
        (lambda note: note.replace("certgate-", "others-"), "is a checkpoint of 'others-"),
        (lambda note: "", "no checkpoint"),
        (lambda note: note.replace("\n7\n", "\nseven\n"), "no checkpoint"),
        (lambda note: note.replace(BEGINNING, "AAAA"), "no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused(change: Any, said: str) -> None:
    signer = Signer("11" * 32)
    with pytest.raises(NoCheckpoint, match=said):
        signer.read(change(signer.signed(Checkpoint(7, BEGINNING))))
