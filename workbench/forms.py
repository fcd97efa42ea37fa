"""Forms: their fields, what was entered into them, and why that is refused."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from domain.errors import AlreadyExists, DomainError, InvalidInput
from domain.problem import KINDS

MAX_FIELDS = 1_000


class Entered(dict[str, list[str]]):
    """The values of each field, without blanks around them; a field that was left empty is not there."""

    def one(self, name: str) -> str:
        """The value of a field; "" where it was left empty."""
        return self.get(name, [""])[0]


async def read_form(request: Request) -> Entered:
    """The fields of a form as browsers send it. Raises `HTTPException` for another kind of body."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    try:
        fields = parse_qs((await request.body()).decode("utf-8"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HTTPException(400) from None
    trimmed = {name: [value.strip() for value in values] for name, values in fields.items()}
    return Entered({name: values for name, values in trimmed.items() if any(values)})


class FormMember(NamedTuple):
    """A member of a command, as a field of a form."""

    name: str
    kind: str
    """`text`, `long`, `date`, `country`, `countries`, `choice`, or the kind of definitions that is chosen from; in the
    settings also `email`, `code`, `moment`, `cursor`, `days`, `types` and `view`.
    """
    choices: Sequence[str] = ()
    required: bool = False


class FilledForm(NamedTuple):
    """A form as it is shown: what was entered or is stored, why it is refused, and what somebody else has stored."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = {}
    theirs: Mapping[str, str] = {}
    error: DomainError | None = None

    @property
    def said(self) -> str:
        """Why it is refused, where that is not about its fields; "" if it is not."""
        return why(self.error) if self.error is not None and not self.wrong else ""

    @property
    def status(self) -> int:
        """What the page that shows it is answered with."""
        if self.error is not None:
            return KINDS[self.error.code].status
        return 422 if self.wrong else 200


def refused_form(values: Mapping[str, str], error: DomainError, asked: Sequence[FormMember]) -> FilledForm:
    """The form with what was entered, and why that is refused: at the fields, if it is about some of them."""
    if isinstance(error, InvalidInput):
        wrong = wrong_of(error, asked)
        return FilledForm(values, wrong, error=None if wrong else error)
    # A name is all by which people tell such things apart.
    taken = isinstance(error, AlreadyExists) and any(each.name == "name" for each in asked)
    return FilledForm(values, {"name": error.detail} if taken else {}, error=error)


def wrong_of(error: InvalidInput, asked: Sequence[FormMember]) -> dict[str, str]:
    """Why it is refused, by the fields that there are."""
    names = {each.name for each in asked}
    return {str(each.path[0]): each.message for each in error.violations if each.path and each.path[0] in names}


def why(error: DomainError) -> str:
    """Why something was refused, for people, who have not sent members by name."""
    if isinstance(error, InvalidInput):
        return " ".join(f"{each.message.rstrip('.')}." for each in error.violations)
    return error.detail
