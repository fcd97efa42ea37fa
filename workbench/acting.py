"""What can be done to a product, and to what it holds and claims: each is a form of its command's members."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.countries import countries_called, country_called
from domain.errors import REFUSALS, PreconditionFailed
from domain.gtin import typed_gtin
from domain.preconditions import Expected, Versioned
from domain.record_commands import RecordCommand
from domain.records import CertificationAssignment
from domain.validation import Command
from resolvers import assignments, certifications, claims, products
from resolvers.operation import Context, WriteOperation
from workbench.forms import Entered, FilledForm, FormMember, read_form, refused_form
from workbench.lists import choices
from workbench.rendering import moved, page

_UNASKED = {"gtin", "metadata", "expiry_date"}
"""What the address says, and what has no field of its own."""
_COUNTRIES = {"country_of_origin": "country", "certificate_countries": "countries"}
"""What is told by codes, and typed by names as well: short, though no greatest length is said of it."""


class Act(NamedTuple):
    """Something that can be done, and what has to be said for it."""

    does: WriteOperation[Any, Any]
    definition: str = ""
    """The command's name for the definition that the address names."""
    changes: bool = False
    """Whether it shows what is stored and changes it; otherwise what is left empty is left out."""

    @property
    def asked(self) -> list[FormMember]:
        """The fields, in the order of the command."""
        command: type[Command] = self.does.command
        fields = command.model_fields.items()
        named = command.given if issubclass(command, RecordCommand) else {}
        return [
            _asked(
                name,
                field.annotation,
                is_required=field.is_required(),
                is_short=name not in named or named[name].limit is not None,
            )
            for name, field in fields
            if name not in _UNASKED and name != self.definition
        ]


def _asked(name: str, annotation: Any, *, is_required: bool, is_short: bool) -> FormMember:
    plain = _plain(annotation)
    if name in ("certification_id", "claim_id"):
        return FormMember(name, name.removesuffix("_id"), required=True)
    if plain is date:
        return FormMember(name, "date", required=is_required)
    if name in _COUNTRIES:
        return FormMember(name, _COUNTRIES[name], required=is_required)
    if issubclass(plain, StrEnum):
        return FormMember(name, "choice", [each.value for each in plain], required=is_required)
    return FormMember(name, "text" if is_short or name.endswith("_url") else "long", required=is_required)


def _plain(annotation: Any) -> type:
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif NoneType in get_args(annotation):
            annotation = next(each for each in get_args(annotation) if each is not NoneType)
        else:
            plain: type = get_origin(annotation) or annotation
            return plain


_CERTIFICATION, _CLAIM = "certification_id", "claim_id"

ACTS: Mapping[str, Mapping[str, Act]] = {
    "products": {
        "edit": Act(products.patch_product, changes=True),
        "certify": Act(certifications.assign_certification),
        "claim": Act(claims.assign_claim),
        "archive": Act(products.archive_product),
        "restore": Act(products.restore_product),
    },
    "certificates": {
        "edit": Act(certifications.patch_certification_assignment, _CERTIFICATION, changes=True),
        "renew": Act(certifications.renew_certification, _CERTIFICATION),
        "undo-renewal": Act(certifications.undo_renewal, _CERTIFICATION),
        "suspend": Act(certifications.suspend_certification, _CERTIFICATION),
        "withdraw": Act(certifications.withdraw_certification, _CERTIFICATION),
        "reinstate": Act(certifications.reinstate_certification, _CERTIFICATION),
        "remove": Act(certifications.remove_certification, _CERTIFICATION),
    },
    "claims": {
        "edit": Act(claims.patch_claim_assignment, _CLAIM, changes=True),
        "remove": Act(claims.remove_claim, _CLAIM),
    },
}
"""By what it is done to, as the address names that, and by its own name there."""

PATHS = ("/app/products/{gtin}/{act}", "/app/{name}/{gtin}/{definition}/{act}")


async def acting(request: Request) -> Response:
    """Asks what has to be known for something that can be done, and does it."""
    context: Context = request.state.context
    name = request.path_params.get("name", "products")
    act = ACTS.get(name, {}).get(request.path_params["act"])
    if act is None:
        raise HTTPException(404)
    stored = await _stored(context, name, request)
    if request.method == "GET":
        return await _shown(request, act, stored, FilledForm(_values(act, stored)))
    entered = await read_form(request)
    typed = {each.name: entered.one(each.name).replace("\r\n", "\n") for each in act.asked}
    try:
        await _done(context, act, stored, request, entered, typed)
    except PreconditionFailed as error:
        now = await _stored(context, name, request)
        # What is asked of nothing that is stored, a reason for example, stands beside nothing.
        given: Mapping[str, Any] = getattr(act.does.command, "given", {})
        stored_too = [each for each in typed if each in given and hasattr(now, given[each].name)]
        theirs = {each: value for each in stored_too if (value := _text(now, act, each)) != typed[each]}
        return await _shown(request, act, now, FilledForm(typed, theirs=theirs, error=error))
    except REFUSALS as error:
        return await _shown(request, act, stored, refused_form(typed, error, act.asked))
    return moved(request, f"/app/products/{stored.gtin}?done={request.path_params['act']}")


async def _stored(context: Context, name: str, request: Request) -> Versioned:
    gtin, definition = typed_gtin(request.path_params["gtin"]), request.path_params.get("definition", "")
    if name == "products":
        return await products.existing_product(context, gtin)
    kind: Any = certifications.KIND if name == "certificates" else claims.KIND
    found: Versioned = await assignments.one_of_product(context, kind, gtin, definition)
    return found


def _values(act: Act, stored: Versioned) -> dict[str, str]:
    """What the fields hold at first."""
    values = {each.name: _text(stored, act, each.name) if act.changes else _usual(act, each) for each in act.asked}
    if act.does is certifications.renew_certification and isinstance(stored, CertificationAssignment):
        if stored.lapses_on is not None and stored.lapses_on < date.max:
            values["valid_from"] = str(stored.lapses_on + timedelta(days=1))
        values |= {each: _text(stored, act, each) for each in ("issuing_body", "verification_url", "scope")}
    return values


def _usual(act: Act, asked: FormMember) -> str:
    """What is chosen unless somebody chooses otherwise: what the record has where nothing is said."""
    if asked.kind != "choice" or asked.required:
        return ""
    command: Any = act.does.command
    return str(command.given[asked.name].said.default.value)


def _text(stored: Versioned, act: Act, name: str) -> str:
    command: Any = act.does.command
    value = getattr(stored, command.given[name].name)
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


async def _done(
    context: Context, act: Act, stored: Versioned, request: Request, entered: Entered, typed: Mapping[str, str]
) -> None:
    version = entered.one("version")
    if version.isascii() and version.isdigit():
        context.expected = Expected(version=min(int(version), 2**53))
        context.expected.check(stored, context.today)
    members: dict[str, Any] = {"gtin": stored.gtin}
    if act.definition:
        members[act.definition] = request.path_params["definition"]
    held = _values(act, stored) if act.changes else {}
    for asked in act.asked:
        text = typed[asked.name]
        if act.changes:
            # Blanks around what is stored are not shown, and stay.
            if text != held[asked.name].strip():
                members[asked.name] = _value(asked, text)
        elif text:
            members[asked.name] = _value(asked, text)
    await act.does(context, act.does.command.parse(members))


def _value(asked: FormMember, text: str) -> Any:
    if asked.kind == "countries":
        return countries_called(text)
    if asked.kind == "country":
        return country_called(text) or text
    return None if asked.kind == "date" and not text else text


async def _shown(request: Request, act: Act, stored: Versioned, form: FilledForm) -> Response:
    context: Context = request.state.context
    name = request.path_params.get("name", "products")
    kinds = {each.kind for each in act.asked}
    return page(
        request,
        "act.html",
        status=form.status,
        name=name,
        act=request.path_params["act"],
        changes=act.changes,
        stored=stored,
        called=getattr(stored, "name", "") if name == "products" else _definition(stored).label,
        form=form,
        asked=act.asked,
        choices=await choices(context, kinds),
        is_new=name == "products" and act.does.command.__name__.startswith("Assign"),
    )


def _definition(stored: Any) -> Any:
    return stored.certification if isinstance(stored, CertificationAssignment) else stored.claim
