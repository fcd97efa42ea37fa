"""What was entered into a form."""

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

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
