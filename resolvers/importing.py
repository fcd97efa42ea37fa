"""What files bring in: many rows in one transaction, each judged by the rules of the operation that it stands for.

A row is planned before anything of it is written, so that one that is refused leaves nothing; and what rows before it
in the same batch will have made is there for it. Then everything is written with a few statements. Where somebody else
was quicker, the batch is undone and planned anew.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import msgspec

from db import acknowledgements, certificates, history
from db import products as stored_products
from db.definitions import add_missing
from db.engine.database import PART, Database, Transaction
from db.history import Entry
from db.met import Earlier, Met
from domain import halts, renewal
from domain.access import Permission, require, require_ownership
from domain.acknowledgements import Acknowledgement
from domain.certificates import HALTING
from domain.changes import Change
from domain.commands import (
    AssignCertification,
    AssignClaim,
    CreateProduct,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    PatchProduct,
    RenewCertification,
)
from domain.errors import (
    REFUSALS,
    AlreadyExists,
    Busy,
    DomainError,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Violation,
)
from domain.gtin import Gtin
from domain.importing import AskedAssignment, AskedRow, Halts, Restored
from domain.patch import changes_of
from domain.record_commands import NewCommand, PatchCommand
from domain.records import Certification, CertificationAssignment, ClaimAssignment, EarlierCertificate, Product
from domain.short_id import ShortId
from domain.text import excerpt, folded
from domain.vocabulary import DataSource, Existing
from resolvers import assignments, certifications, claims, patching, products
from resolvers.acknowledgements import acknowledge_certification, acknowledge_claim
from resolvers.definitions import Kind, nearest
from resolvers.operation import ROWS_A_TURN, Context

__all__ = [
    "PART",
    "Alongside",
    "Done",
    "Met",
    "Nameable",
    "NotCalled",
    "Part",
    "Planned",
    "Ready",
    "definitions_of",
    "make_ready",
    "put",
]

ATTEMPTS = 6
"""How often a batch is tried when others are in its way; the pauses between double, from a tenth of a second."""


class Part(NamedTuple):
    """What one row does to one thing: a `product`, a `certification` or a `claim`, which is called so."""

    kind: str
    called: str
    change: Change[Any, Any]
    changes: Mapping[str, Any] = {}
    """The members that are changed of what was there, with their new values."""
    renews: bool = False
    """Whether they are those of the next certificate."""

    @property
    def outcome(self) -> str:
        """`made`, `changed`, `renewed`, or `left` as it was."""
        if self.change.before is None:
            return "made"
        if self.renews:
            return "renewed"
        return "changed" if self.changes else "left"


class PartRefused(NamedTuple):
    """Why a row is refused over one of its parts, a `product`, a `certification` or a `claim`."""

    kind: str
    why: DomainError


class Done(NamedTuple):
    """What became of a row: what it did, or all that it was refused for."""

    parts: list[Part]
    refusals: Sequence[PartRefused] = ()


class NotCalled(NotFound):
    """No certification or claim has the name that a row gives it."""


class Nameable(NamedTuple):
    """The definitions of a kind that an organisation may name, and what they are called."""

    kind: Kind[Any, Any]
    make: type[NewCommand]
    patch: type[PatchCommand]
    called: dict[str, Any]
    """By id, and by folded code and label. None where two have that label."""
    every: Sequence[Any]
    missing: Sequence[Certification] = ()
    """Those of them that are made with the first rows, and so with those of each dry run."""

    def found(self, asked: AskedAssignment) -> Any:
        """The definition that a row names; None if nothing is called so."""
        for name in asked.named:
            found = self.called.get(name) or (self.called.get(folded(name)) if name else None)
            if found is not None:
                return found
        return None

    def judge(self, gtin: str, members: Mapping[str, Any]) -> None:
        """Judges what is said of an assignment by itself, whatever it is of. Raises `InvalidInput`."""
        self.make.parse({**members, "gtin": gtin, f"{self.kind.noun}_id": "any"}).members()

    def find(self, asked: AskedAssignment) -> Any:
        """The definition that a row names. Raises `NotCalled`."""
        found = self.found(asked)
        if found is None:
            raise self.not_called(asked)
        return found

    def not_called(self, asked: AskedAssignment) -> NotCalled:
        """The refusal of what nothing is called, which tells what is called nearly so."""
        named = next((name for name in asked.named if name), "")
        near = nearest(named, self.every)
        meant = f"did you mean {' or '.join(near)}?" if near else f"take it from the list of {self.kind.plural}."
        return NotCalled(f"No {self.kind.noun} is called {excerpt(named)!r}; {meant}")


async def definitions_of(context: Context, missing: Sequence[Certification] = ()) -> dict[str, Nameable]:
    """What rows may name, by `certification` and `claim`; `missing` are private ones that are made with the rows."""
    commands: list[tuple[Kind[Any, Any], type[NewCommand], type[PatchCommand]]] = [
        (certifications.KIND, AssignCertification, PatchCertificationAssignment),
        (claims.KIND, AssignClaim, PatchClaimAssignment),
    ]
    found = {}
    for kind, make, patch in commands:
        every = await kind.stored.every(context.database, [context.caller.organization.id])
        made = missing if kind.noun == "certification" else ()
        found[kind.noun] = Nameable(kind, make, patch, _called([*every, *made]), [*every, *made], made)
    return found


def _called(every: Sequence[Any]) -> dict[str, Any]:
    # A code is stronger than a label, and an organisation's own code than a global one.
    called: dict[str, Any] = {}
    for each in every:
        name = folded(each.label)
        called[name] = each if name not in called else None
    own_last = sorted(every, key=lambda each: getattr(each, "organization_id", None) is not None)
    called |= {folded(each.code): each for each in own_last if each.code}
    return called | {each.id: each for each in every}


def _of_each_kind() -> dict[str, list[Any]]:
    return {"product": [], "certification": [], "claim": []}


P = TypeVar("P")

Seen = dict[Any, tuple[str, int] | None]
"""What was there of all that rows are about: by its key the id of each and its version, None of what was not."""


Place = tuple[str, Gtin, ShortId]
"""An assignment: whether it is of a `certification` or a `claim`, its product, and its definition."""


class Planned(NamedTuple):
    """What becomes of rows that find what was `seen`; the rest is what storing it and later rows take."""

    done: list[Done]
    seen: Seen
    met: Mapping[str, Earlier]
    earlier_certificates: Mapping[tuple[Gtin, ShortId], list[EarlierCertificate]]
    acknowledged: Mapping[Place, Acknowledgement]


@dataclass
class Writes:
    """What is to be written of some rows."""

    made: dict[str, list[Any]] = field(default_factory=_of_each_kind)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=_of_each_kind)
    """The same as it is stored, which the log has, too."""
    changed: list[Part] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    """What the log is to tell of it, in the order of the rows."""

    def foresee(self, database: Database, known: Mapping[str, Nameable]) -> None:
        """Makes of the rows all that can be made of them before there is a transaction; nothing is added any more."""
        self.rows["product"] = stored_products.foreseen(database, self.rows["product"])
        for noun, definitions in known.items():
            self.rows[noun] = definitions.kind.stored.foreseen(database, self.rows[noun])
        self.entries = history.foreseen(database, self.entries)


class Ready(NamedTuple):
    """Rows that were planned before, with what is to be written of them if they find what they did then."""

    planned: Planned
    writes: Writes


Alongside = Callable[[Transaction, Sequence[Done]], Awaitable[None]]
"""Writes something in the transaction of a batch."""


_TOLD_AS = {
    ("product", "made"): products.create_product.told_as,
    ("product", "changed"): products.patch_product.told_as,
    ("certification", "made"): certifications.assign_certification.told_as,
    ("certification", "changed"): certifications.patch_certification_assignment.told_as,
    ("certification", "renewed"): certifications.renew_certification.told_as,
    ("claim", "made"): claims.assign_claim.told_as,
    ("claim", "changed"): claims.patch_claim_assignment.told_as,
}
"""The operations that parts stand for, as the log of changes has them."""

_ACKNOWLEDGED_AS = {"certification": acknowledge_certification.told_as, "claim": acknowledge_claim.told_as}


class _Rehearsed(Exception):
    """Ends the transaction of what is not to stay."""


class _Raced(Exception):
    """Somebody else made something between the look and the write."""


async def put(
    context: Context,
    rows: Sequence[AskedRow],
    existing: Existing,
    known: Mapping[str, Nameable],
    met: Met,
    alongside: Alongside | None = None,
    *,
    judges: bool = False,
    ready: Ready | None = None,
) -> Planned:
    """Does what the rows ask for, in one transaction that is committed by then; the answer has each row's, in order.

    On a dry run of the context it is rolled back. What `judges` stores nothing but what is `alongside`: it is for rows
    that are put in afterwards, or were before. What is `ready` since they were judged is done without being planned
    anew, if all is there as it was. Raises `Forbidden` for those who never write, and `Busy`.
    """
    require(context.caller, Permission.WRITE)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _attempt(_Plan(context, existing, known, judges), rows, met, alongside, ready)
        except (_Raced, Busy) as error:
            if attempt == ATTEMPTS:
                if isinstance(error, Busy):
                    raise
                raise Busy("Others change the same products at the same time; try again in a second.") from None
            await asyncio.sleep(0.05 * 2**attempt)
    raise AssertionError


async def _attempt(
    plan: "_Plan", rows: Sequence[AskedRow], met: Met, alongside: Alongside | None, ready: Ready | None
) -> Planned:
    context, done = plan.context, list[Done]()
    planned = None
    with suppress(_Rehearsed):
        async with context.database.write() as transaction:
            await plan.look(transaction, rows, met)
            if ready is not None and plan.finds(ready.planned.seen):
                planned, writes = ready
                plan.take_over(planned)
                await plan.store(transaction, writes)
                done = planned.done
            else:
                plan.recall(rows, met)
                done += await _done(plan, transaction, rows)
            if alongside is not None:
                await alongside(transaction, done)
            if plan.is_undone:
                raise _Rehearsed
    if plan.is_undone or plan.judges:
        met.keep(plan.would_be_made)
    met.add(plan.met.items())
    return planned or Planned(done, plan.seen(), plan.met, plan.earlier_certificates, plan.acknowledged)


async def _done(
    plan: "_Plan",
    transaction: Transaction,
    rows: Sequence[AskedRow],
) -> list[Done]:
    """What becomes of the rows: a part of them is planned while the one before is stored, the database's own work."""
    done = list[Done]()
    storing = asyncio.ensure_future(plan.store(transaction, plan.taken()))
    for start in range(0, len(rows), PART):
        try:
            done += [await plan.row(number, row) for number, row in enumerate(rows[start : start + PART], start)]
        finally:
            # Nothing else is to be done with the transaction before.
            await storing
        storing = asyncio.ensure_future(plan.store(transaction, plan.taken()))
    await storing
    return done


@dataclass
class _Plan:
    """What a batch finds and is going to do."""

    context: Context
    existing: Existing
    known: Mapping[str, Nameable]
    judges: bool
    """Whether nothing of it is written."""
    products: dict[Gtin, Product] = field(default_factory=dict)
    held: dict[Place, Any] = field(default_factory=dict)
    earlier: dict[str, Earlier] = field(default_factory=dict)
    met: dict[str, Earlier] = field(default_factory=dict)
    taken_ids: set[str] = field(default_factory=set)
    writes: Writes = field(default_factory=Writes)
    """What was planned since it was taken."""
    would_be_made: list[Product] = field(default_factory=list)
    """What is not to stay of it."""
    earlier_certificates: dict[tuple[Gtin, ShortId], list[EarlierCertificate]] = field(default_factory=dict)
    """What is put back with new assignments."""
    acknowledged: dict[Place, Acknowledgement] = field(default_factory=dict)
    """The same of lapses that somebody has taken on."""
    there: Seen = field(default_factory=dict)
    about: list[Any] = field(default_factory=list)
    """The keys of what the rows are about."""

    @property
    def is_undone(self) -> bool:
        """Whether what is written is rolled back."""
        return self.context.dry_run and not self.judges

    async def look(self, transaction: Transaction, rows: Sequence[AskedRow], met: Met) -> None:
        """Reads what is there of all that the rows are about, and locks it unless nothing is written of it."""
        await transaction.plan_anew()
        if not self.judges:
            for definitions in self.known.values():
                for made in await add_missing(transaction, definitions.missing):
                    self._tell(Change(None, made), "importCertification")
        gtins = sorted({gtin for row in rows if (gtin := _padded(row.gtin)) is not None})
        own = self.context.caller.organization_ids
        # Whoever changes what is only judged need not wait: it is looked at again before it is done.
        products_of = stored_products.find_many if self.judges else stored_products.lock_many
        self.products = {found.gtin: found for found in await products_of(transaction, gtins, own)}
        if self.is_undone or self.judges:
            await self._bring_back(transaction, [gtin for gtin in gtins if gtin not in self.products], met)
        for noun, definitions in self.known.items():
            if any(row.certifications if noun == "certification" else row.claims for row in rows):
                stored = definitions.kind.stored
                held_of = stored.of_products if self.judges else stored.lock_many
                for held in await held_of(transaction, gtins, own):
                    self.held[noun, held.gtin, stored.definition(held).id] = held
        ids = [row.restored["id"] for row in rows if row.restored.get("id")]
        if ids:
            self.taken_ids |= await stored_products.ids_among(transaction, ids)
            for definitions in self.known.values():
                self.taken_ids |= await definitions.kind.stored.ids_among(transaction, ids)

        found: list[Mapping[Any, Any]] = [self.products, self.held]
        self.there = {key: (each.id, each.version) for records in found for key, each in records.items()}
        self.there |= {id: (id, 0) for id in self.taken_ids}
        self.about = [*gtins, *ids]

    def seen(self) -> Seen:
        """What there was of all that mattered to the rows."""
        return {key: self.there.get(key) for key in self.about}

    def finds(self, seen: Seen) -> bool:
        """Whether there is what there was; a version is counted up by whatever is changed."""
        return all(self.there.get(key) == was for key, was in seen.items())

    def recall(self, rows: Sequence[AskedRow], met: Met) -> None:
        """Looks for what earlier rows have said of the same."""
        self.earlier = met.look([key for row in rows for key in self._keys(row)])

    def take_over(self, planned: Planned) -> None:
        """Takes over what it takes to store what was planned."""
        self.met |= planned.met
        self.earlier_certificates |= planned.earlier_certificates
        self.acknowledged |= planned.acknowledged

    async def _bring_back(self, transaction: Transaction, gtins: list[Gtin], met: Met) -> None:
        """Makes the products again that a batch before would have made, and that are needed here."""
        kept = met.kept(gtins) if gtins else []
        if (
            kept
            and not self.judges
            and not await stored_products.add_many(transaction, [*map(stored_products.row, kept)])
        ):
            raise _Raced
        self.products |= {product.gtin: product for product in kept}

    def _keys(self, row: AskedRow) -> list[str]:
        gtin = _padded(row.gtin) or ""
        keys = [gtin, _archived(gtin)] if row.product is not None else [_archived(gtin)]
        for noun, asked in (("certification", row.certifications), ("claim", row.claims)):
            found = [self.known[noun].found(each) for each in asked]
            keys += [f"{gtin}/{definition.id}" for definition in found if definition is not None]
        return keys

    async def row(self, number: int, row: AskedRow) -> Done:
        """Plans one row, or says why it cannot be done."""
        if number % ROWS_A_TURN == 0:
            # On SQLite nothing here waits for anything: the others' reads would stand still meanwhile.
            await asyncio.sleep(0)
        gtin = _padded(row.gtin)
        if row.is_spoilt:
            return Done([], self._refusals(row, gtin))
        met: dict[str, Earlier] = {}
        parts: list[Part] = []
        before = self.products.get(gtin) if gtin else None
        noun = "product"
        try:
            if row.product is not None:
                parts.append(self._product(row, gtin, row.product, met))
                if gtin is not None and parts[-1].change.after is not None:
                    # What the row holds is put on the product that it makes.
                    self.products[gtin] = parts[-1].change.after
            for noun, every in (("certification", row.certifications), ("claim", row.claims)):
                parts += [self._assignment(noun, row, gtin, asked, met) for asked in every]
        except REFUSALS as refusal:
            self._put_back(gtin, before)
            return Done([], self._refusals(row, gtin) or [PartRefused(noun, refusal)])
        for part in parts:
            self._take(part)
        self.earlier |= met
        self.met |= met
        return Done(parts)

    def _put_back(self, gtin: Gtin | None, before: Product | None) -> None:
        """Has a product again as it was before a row."""
        if gtin is not None:
            self.products.pop(gtin, None)
            if before is not None:
                self.products[gtin] = before

    def _refusals(self, row: AskedRow, gtin: Gtin | None) -> list[PartRefused]:
        """All that is wrong with what a row says; of what does not go with what is there, what is found first."""
        found: list[PartRefused] = []
        before = self.products.get(gtin) if gtin else None
        if row.product is not None:
            made, why = _judged(row, row.product, lambda of, said: self._product(of, gtin, said, {}))
            found += [PartRefused("product", each) for each in why]
            if gtin is not None and made is not None:
                self.products[gtin] = made.change.after
        for noun, every in (("certification", row.certifications), ("claim", row.claims)):
            found += [PartRefused(noun, why) for asked in every for why in self._why_not(noun, row, gtin, asked)]
        self._put_back(gtin, before)
        own = [each for each in found if isinstance(each.why, InvalidInput | NotCalled)]
        others = [each for each in found if not isinstance(each.why, InvalidInput | NotCalled)]
        if row.product is not None or any(
            isinstance(each.why, InvalidInput) and each.why.names("gtin") for each in own
        ):
            # The product is not there because of what was told of it.
            others = [each for each in others if not isinstance(each.why, NotFound)]
        return [*own, *others[:1]]

    def _why_not(self, noun: str, row: AskedRow, gtin: Gtin | None, asked: AskedAssignment) -> list[DomainError]:
        """Why an assignment of a row is refused."""
        known = self.known[noun]
        if known.found(asked) is not None:
            return _judged(
                row,
                asked.members,
                lambda of, said: self._assignment(noun, of, gtin, asked._replace(members=said), {}),
            )[1]
        _, why = _judged(row, asked.members, lambda of, said: known.judge(of.gtin, said))
        return [*([known.not_called(asked)] if any(asked.named) else []), *why]

    def again(self, done: Done) -> None:
        """Takes what was planned of a row."""
        for part in done.parts:
            self._take(part)

    def _tell(self, change: Change[Any, Any], operation: str) -> None:
        if not self.judges and (entry := self.context.entry(change, operation)) is not None:
            self.writes.entries.append(entry)

    def _take(self, part: Part) -> None:
        if part.outcome == "left":
            return
        before, after = part.change.before, part.change.after
        self._tell(part.change, _TOLD_AS[part.kind, part.outcome])
        if before is None:
            self.writes.made[part.kind].append(after)
            if not self.judges:
                self.writes.rows[part.kind].append(self.writes.entries[-1]["record"])
        else:
            self.writes.changed.append(part)
        if part.kind != "product":
            place = part.kind, after.gtin, self.known[part.kind].kind.stored.definition(after).id
            self.held[place] = after
            if before is None and (said := self.acknowledged.get(place)) is not None:
                self._tell(Change(None, said), _ACKNOWLEDGED_AS[part.kind])

    def _product(self, row: AskedRow, gtin: Gtin | None, members: Mapping[str, Any], met: dict[str, Earlier]) -> Part:
        stored = self.products.get(gtin) if gtin else None
        context, said = self.context, _with_emptied(members, row.emptied)
        if stored is None:
            command = CreateProduct.parse({**members, "gtin": row.gtin})
            product = products.new_product(context, command, DataSource.IMPORTED)
            product = self._restored(product, row.restored)
            self._meet(row, product.gtin, said, met)
            _meet_archived(row, product, met)
            return Part("product", product.gtin, Change(None, product))
        require_ownership(context.caller, stored)
        _meet_archived(row, stored, met)
        if self._meet(row, stored.gtin, said, met):
            return Part("product", stored.gtin, Change(stored, stored))
        if self.existing is Existing.REFUSE:
            raise products.already_there(stored.gtin, is_archived=stored.archived_at is not None)
        if self.existing is Existing.SKIP:
            return Part("product", stored.gtin, Change(stored, stored))
        patch = PatchProduct.parse({**said, "gtin": row.gtin})
        changes = changes_of(stored, patch.members())
        if changes:
            products.require_live(stored)
            _refuse_stale(row, stored, f"The product {stored.gtin}")
        return self._part("product", stored.gtin, stored, changes)

    def _assignment(
        self, noun: str, row: AskedRow, gtin: Gtin | None, asked: AskedAssignment, met: dict[str, Earlier]
    ) -> Part:
        known, context = self.known[noun], self.context
        definition = known.find(asked)
        named = {"gtin": row.gtin, f"{noun}_id": definition.id}
        members = {**asked.members, **named}
        product = self.products.get(gtin) if gtin else None
        if product is None:
            # What is wrong by itself comes before that there is no such product.
            known.judge(row.gtin, asked.members)
            raise products.missing(gtin or Gtin(row.gtin))
        require_ownership(context.caller, product)
        called = f"{product.gtin} {definition.code or definition.label}"
        key = noun, product.gtin, definition.id
        self.about.append(key)
        held = self.held.get(key)
        said = _with_emptied(asked.members, asked.emptied)
        is_said = self._meet(row, f"{product.gtin}/{definition.id}", said, met)
        if held is None:
            if not self._is_put_back(row, product.gtin):
                products.require_live(product)
            sent = known.make.parse(members).members()
            made = assignments.new_assignment(
                context, known.kind, product.gtin, product.organization_id, definition, sent
            )
            if halting := _halts(made, said):
                made = msgspec.structs.replace(made, **halting)
            if is_said and (self.is_undone or self.judges):
                # The row before would have made it.
                return Part(noun, called, Change(made, made))
            restored = row.restored if row.product is None else {}
            made = self._with_earlier(self._restored(made, restored), restored)
            self._acknowledge(key, made, restored)
            return Part(noun, called, Change(None, made))
        if is_said or self.existing is Existing.SKIP:
            return Part(noun, called, Change(held, held))
        if self.existing is Existing.REFUSE:
            raise assignments.already_assigned(known.kind, product.gtin, definition)
        changes = self._renewal(held, said, named)
        renews = bool(changes)
        if not renews:
            patch = known.patch.parse({**said, **named})
            _refuse_fixed(known, members, held)
            changes = changes_of(held, patch.members())
            _check_halts(msgspec.structs.replace(held, **changes), said)
            changes |= _halts(held, said)
        if changes:
            products.require_live(product)
        if changes and row.product is None:
            _refuse_stale(row, held, f"The {noun} {called}")
        return self._part(noun, called, held, changes)._replace(renews=renews)

    def _renewal(self, held: Any, said: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """What the next certificate changes, where the row is about that. Raises `InvalidInput`."""
        if not isinstance(held, CertificationAssignment) or self.existing is not Existing.UPDATE:
            return {}
        sent = RenewCertification.parse({**said, **named}).members()
        if renewal.is_older(held, sent):
            message = (
                f"Value should be {held.certificate_number!r}, that of the certificate that is held, which ends later;"
                " leave the older one out, or say correct in `existing`, to correct what is held"
            )
            raise InvalidInput([Violation(("certificate_number",), message, "older_certificate")])
        if not renewal.is_renewal(held, sent):
            return {}
        # What an export has of the one before is not said of the next one.
        halting = {name: value for name, value in _halting(said).items() if value != getattr(held, name)}
        metadata = changes_of(held, {name: value for name, value in said.items() if name == "metadata"})
        changes = renewal.renewed(held, sent, self.context.today)
        after = msgspec.structs.replace(held, **changes)
        renewal.check_told(after, halting)
        return changes | renewal.told(after, halting) | metadata

    def _part(self, noun: str, called: str, stored: Any, changes: Mapping[str, Any]) -> Part:
        """What is done to something that is there."""
        change = patching.changed(stored, changes, self.context.now) if changes else Change(stored, stored)
        return Part(noun, called, change, changes)

    def _is_put_back(self, row: AskedRow, gtin: Gtin) -> bool:
        """Whether the row is of an export that has the product as it was archived, and is, and what it had then."""
        return row.product is None and bool(row.restored) and _archived(gtin) in self.earlier

    def _meet(self, row: AskedRow, key: str, members: Mapping[str, Any], met: dict[str, Earlier]) -> bool:
        """Whether an earlier row has said the same of a thing. Raises `AlreadyExists` if it said something else."""
        digest = hash(msgspec.json.encode(members))
        earlier = self.earlier.get(key) or met.get(key)
        if earlier is None:
            met[key] = Earlier(row.place, digest)
            return False
        if earlier.digest != digest:
            raise AlreadyExists(f"{earlier.place} says something else of the same; leave one of the two out.")
        return True

    def _restored(self, record: Any, given: Mapping[str, Any]) -> Any:
        """A new record with what it had where it comes from; an id that something else has is not taken over."""
        if not given:
            return record
        sent = Restored.parse(given)
        kept = {
            name: value
            for name in Restored.model_fields
            if (value := getattr(sent, name)) is not None and hasattr(record, name)
        }
        if kept.get("id") in self.taken_ids:
            del kept["id"]
        self.taken_ids.add(kept.get("id", ""))
        if isinstance(record, CertificationAssignment):
            kept |= halts.members(sent.halts()) if sent.halted_days else {}
        return msgspec.structs.replace(record, **kept)

    def _with_earlier(self, made: Any, given: Mapping[str, Any]) -> Any:
        """A new assignment with the certificates that came before where it comes from. Raises `InvalidInput`."""
        if not given or not isinstance(made, CertificationAssignment):
            return made
        named: dict[str, Any] = {"gtin": made.gtin, "certification_id": made.certification.id}
        kept = [
            EarlierCertificate(**named, number=number, **dict(each))
            for number, each in enumerate(Restored.parse(given).kept(), start=1)
        ]
        self.earlier_certificates[made.gtin, made.certification.id] = kept
        return msgspec.structs.replace(made, earlier_days=[renewal.span(each) for each in kept] or None)

    def _acknowledge(self, place: Place, made: Any, given: Mapping[str, Any]) -> None:
        """Remembers of a new assignment that its lapse was taken on where it comes from. Raises `InvalidInput`."""
        for said in (Restored.parse(given).acknowledgements or ()) if given else ():
            self.acknowledged[place] = Acknowledgement(
                id=made.id,
                gtin=made.gtin,
                organization_id=made.organization_id,
                until=said.until,
                reason=said.reason,
                lapses_on=said.lapses_on,
                by="",
                created_at=said.created_at,
            )

    def taken(self) -> Writes:
        """What was planned since the last time."""
        writes, self.writes = self.writes, Writes()
        if self.is_undone or self.judges:
            self.would_be_made += writes.made["product"]
        return writes

    async def store(self, transaction: Transaction, writes: Writes) -> None:
        """Writes what was planned, unless it is only judged. Raises `_Raced`."""
        if self.judges:
            return
        if not await stored_products.add_many(transaction, writes.rows["product"]):
            raise _Raced
        for noun, definitions in self.known.items():
            if not await definitions.kind.stored.add_many(transaction, writes.rows[noun]):
                raise _Raced
        self.products |= {each.gtin: each for each in writes.made["product"]}
        archived = {
            each.gtin
            for noun in self.known
            for each in writes.made[noun]
            if self.products[each.gtin].archived_at is not None
        }
        if archived:
            await stored_products.mark(transaction, sorted(archived))
        made = [(each.gtin, each.certification.id) for each in writes.made["certification"]]
        await certificates.add_many(
            transaction, [kept for place in made for kept in self.earlier_certificates.get(place, ())]
        )
        for noun, stored in acknowledgements.OF_NOUN.items():
            places = [(noun, each.gtin, self.known[noun].kind.stored.definition(each).id) for each in writes.made[noun]]
            said = [(place[2], self.acknowledged[place]) for place in places if place in self.acknowledged]
            await stored.add_many(transaction, said, self.context.caller)
        await self._keep(transaction, [part.change.before for part in writes.changed if part.renews])
        for part in writes.changed:
            change = stored_products.change if part.kind == "product" else self.known[part.kind].kind.stored.change
            await change(transaction, part.change.before, dict(part.changes), part.change.after.updated_at)
        await history.add(transaction, writes.entries)

    async def _keep(self, transaction: Transaction, renewed: Sequence[CertificationAssignment]) -> None:
        """Stores the certificates that others take the place of."""
        found = await certificates.of_products(transaction, [held.gtin for held in renewed])
        numbers = [len(found.get((held.gtin, held.certification.id), ())) + 1 for held in renewed]
        now = self.context.now
        await certificates.add_many(
            transaction,
            [
                renewal.earlier(held, number, max(now, held.updated_at))
                for held, number in zip(renewed, numbers, strict=True)
            ],
        )


_ANY = "00012345678905"
"""A GTIN, for what is judged whatever it is of."""


def _judged(
    row: AskedRow, members: Mapping[str, Any], judge: Callable[[AskedRow, Mapping[str, Any]], P]
) -> tuple[P | None, list[DomainError]]:
    """What a part of a row would be without the members that are refused, and why they are; None without any."""
    found: list[DomainError] = []
    while True:
        try:
            return judge(row, members), found
        except InvalidInput as refusal:
            found.append(refusal)
            left = {name: value for name, value in members.items() if not refusal.names(name)}
            has_wrong_number = refusal.names("gtin") and row.gtin != _ANY
            if left == members and not has_wrong_number:
                return None, found
            members, row = left, row._replace(gtin=_ANY) if has_wrong_number else row
        except REFUSALS as refusal:
            # With fewer members it may seem to contradict another row.
            if not found or not isinstance(refusal, AlreadyExists):
                found.append(refusal)
            return None, found


def make_ready(context: Context, known: Mapping[str, Nameable], planned: Planned) -> Ready:
    """What was planned, with what is to be written of it; for a thread, which gives way to that of the event loop."""
    plan = _Plan(context, Existing.UPDATE, known, judges=False)
    plan.take_over(planned)
    for number, done in enumerate(planned.done):
        if number % ROWS_A_TURN == 0:
            time.sleep(0)
        plan.again(done)
    writes = plan.taken()
    writes.foresee(context.database, known)
    return Ready(planned, writes)


def _halts(held: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a row changes of suspensions and the withdrawal of a certification. Raises `InvalidInput`."""
    return renewal.told(held, _halting(said)) if isinstance(held, CertificationAssignment) else {}


def _check_halts(held: Any, said: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` where a row says that something was suspended or withdrawn when nothing was held."""
    if isinstance(held, CertificationAssignment):
        renewal.check_told(held, _halting(said))


def _halting(said: Mapping[str, Any]) -> dict[str, Any]:
    sent = {name: said[name] for name in HALTING if name in said}
    return Halts.parse(sent).members() if sent else {}


def _with_emptied(members: Mapping[str, Any], emptied: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members of a patch that clears what the file has empty."""
    if not emptied:
        return members
    both = {**emptied, **members}
    if "metadata" in emptied and "metadata" in members:
        both["metadata"] = {**emptied["metadata"], **members["metadata"]}
    return both


def _archived(gtin: str) -> str:
    return f"{gtin} is archived"


def _meet_archived(row: AskedRow, product: Product, met: dict[str, Earlier]) -> None:
    """Remembers that a file has a product as it was archived, so that what the file has of it is put back as well."""
    since = Restored.parse(row.restored).archived_at if row.restored.get("archived_at") else None
    if since is not None and since == product.archived_at:
        met[_archived(product.gtin)] = Earlier(row.place, 0)


def _padded(text: str) -> Gtin | None:
    """The GTIN in 14 digits, None where it is none: the operation says why."""
    return Gtin(text.zfill(14)) if 8 <= len(text) <= 14 and text.isascii() and text.isdigit() else None


def _refuse_stale(row: AskedRow, stored: Product | CertificationAssignment | ClaimAssignment, called: str) -> None:
    """Raises `PreconditionFailed` where a row of an export would undo what was changed after it was written."""
    version = Restored.parse(row.restored).version
    if version is not None and version < stored.version:
        raise PreconditionFailed(
            f"{called} was changed after this row was written: it is at version {stored.version}, the row at {version};"
            " export it again, or empty the cell of the version."
        )


def _refuse_fixed(known: Nameable, members: Mapping[str, Any], held: Any) -> None:
    """Raises `InvalidInput` where a row would change what cannot be changed once it is made."""
    fixed = [name for name in members if name in known.make.given and name not in known.patch.nulls]
    if not fixed:
        return
    sent = known.make.parse(members)
    wrong = [name for name in fixed if getattr(sent, name) != getattr(held, name)]
    if wrong:
        message = f"It cannot be changed later: it is {getattr(held, wrong[0]) or 'empty'}; leave the cell empty"
        raise InvalidInput([Violation((wrong[0],), message, "not_patchable")])
