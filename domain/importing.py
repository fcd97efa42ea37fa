"""What the rows of a file ask for, and what may be said of them as a whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from domain import halts
from domain.acknowledgements import Reason
from domain.certificates import HALTING
from domain.members import kept, members_of
from domain.records import EarlierCertificate, Record
from domain.renewal import OF_CERTIFICATE
from domain.short_id import ShortId, ShortIdField
from domain.validation import DIGITS, JSON_TEXT, AfterTheFirst, Command, Date, Flag, Moment, Text32, Text255
from domain.vocabulary import BulkPolicy, DataSource, Existing, ImportState, RowOutcome

_LONGEST_MAP = 4_000


def _json_object(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return msgspec.json.decode(text[:_LONGEST_MAP], type=dict[str, str])
    except msgspec.DecodeError:
        message = 'Input should be a JSON object of columns and what they are, such as {"EAN": "gtin"}'
        raise PydanticCustomError("json_type", message) from None


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "Input should have printable characters only")
    return text


MAX_TOLD = 2_000

ToldText = Annotated[str, Field(max_length=MAX_TOLD)]
"""What is told of a row, or of an import; longer values are cut."""


class AskedAssignment(NamedTuple):
    """A certification or a claim that a row asks for: what names it, the strongest first, and its members."""

    named: tuple[str, ...]
    members: Mapping[str, Any]
    emptied: Mapping[str, Any] = {}
    """What is to be cleared where the product has it already, with the value that clears."""


class AskedRow(NamedTuple):
    """What one row asks for. `place` says which row it is, for people."""

    place: str
    gtin: str
    product: Mapping[str, Any] | None = None
    certifications: Sequence[AskedAssignment] = ()
    claims: Sequence[AskedAssignment] = ()
    emptied: Mapping[str, Any] = {}
    """Of the product that is there, as of an assignment."""
    restored: Mapping[str, Any] = {}
    """What only our exports have, for what is made anew: see `Restored`."""
    is_spoilt: bool = False
    """Whether there is more that cannot be read: then it is only told what else is wrong."""


def members_read(record: type[Record], members: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a record as a file of our own has them, judged by its rules.

    Raises `KeyError` for one that is not there, `ValueError` for one that breaks a rule.
    """
    return {
        name: TypeAdapter(member.type).validate_python(members[name]) for name, member in members_of(record).items()
    }


_Said = tuple[Date, Date | None, Literal[halts.WHATS]]  # type: ignore[valid-type]


class KeptAcknowledgement(Command):
    """That somebody has taken a lapse on, as archives have it: without whom, since they have no people."""

    until: Date
    reason: Reason
    lapses_on: Date
    created_at: Moment


class Restored(Command):
    """What a record had in the installation from which it comes.

    Of what lapses whether somebody has taken it on, at most one `KeptAcknowledgement`. Of a certification the
    certificates before, oldest first, each with the members of `KeptCertificate`, and what was said of suspensions and
    withdrawals.
    """

    id: ShortIdField | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1), DIGITS] | None = None
    data_source: DataSource | None = None
    archived_at: Moment | None = None
    halted_days: Annotated[list[_Said], Field(max_length=halts.MOST)] | None = None
    earlier_certificates: Annotated[list[dict[str, Any]], Field(max_length=1_000)] | None = None
    acknowledgements: Annotated[list[KeptAcknowledgement], Field(max_length=1)] | None = None

    def halts(self) -> list[list[str | None]]:
        """What was said, as `domain.validity.Days` has it."""
        found: list[list[str | None]] = []
        for first, last, what in self.halted_days or ():
            found = halts.said(found, first, last, what)
        return found

    def kept(self) -> list[Command]:
        """Those certificates, each a `KeptCertificate`. Raises `InvalidInput`."""
        return [KeptCertificate.parse(each) for each in self.earlier_certificates or ()]


KeptCertificate: type[Command] = create_model(
    "KeptCertificate",
    __base__=Command,
    __doc__="A certificate that a renewal replaced, as archives have it.",
    replaced_at=(Moment, ...),
    **{name: (members_of(EarlierCertificate)[name].type, ...) for name in OF_CERTIFICATE},  # type: ignore[call-overload]
)


class Halts(Command):
    """What a file says of a certificate that operations of their own write: see `domain.certificates.HALTING`."""

    suspended_from: Date | None = None
    suspended_until: Date | None = None
    withdrawn_on: AfterTheFirst | None = None
    standing_reason: Text255 = ""

    def members(self) -> dict[str, Any]:
        """Those that the file has."""
        return {name: getattr(self, name) for name in HALTING if name in self.model_fields_set}


class StartImport(Command):
    """A file that is to be put in, and how."""

    name: Annotated[
        Annotated[str, Field(min_length=1, max_length=100)],
        AfterValidator(_printable),
        Field(description="What the file is called.", examples=["products.csv"]),
    ] = "file"
    policy: Annotated[BulkPolicy, Field(description="What becomes of the other rows when some are refused.")] = (
        BulkPolicy.REJECT_ALL
    )
    existing: Annotated[Existing, Field(description="What becomes of rows about what is there already.")] = (
        Existing.UPDATE
    )
    dry_run: Annotated[Flag, Field(description="Whether to show what would be done, and do nothing.")] = False
    map: Annotated[
        dict[str, str],
        BeforeValidator(_json_object),
        WithJsonSchema(JSON_TEXT),
        Field(
            description="What columns are, where that is not found out: a JSON object of their names and members,"
            " `metadata` or `nothing`; `*` stands for all others.",
            examples=['{"EAN": "gtin"}'],
        ),
    ] = Field(default_factory=dict)
    clear_empty: Annotated[
        Flag,
        Field(description="Whether an empty cell clears what is there; else it changes nothing."),
    ] = False
    kept_map: Annotated[
        Flag,
        Field(
            description="Whether to take the `map` of the newest import of a file with the same columns, where none is"
            " sent."
        ),
    ] = True
    encoding: Annotated[
        Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")] | None,
        Field(description="How a text is encoded, where that is not found out.", examples=["windows-1250"]),
    ] = None


class GetImport(Command):
    """One import."""

    id: ShortIdField


class GetImportReport(GetImport):
    """What became of the rows of an import, all of it."""

    outcome: Annotated[RowOutcome | None, Field(description="Only what became of this.")] = None


class ListImportedRows(GetImportReport):
    """The same from a place on."""

    after: Annotated[
        int, Field(ge=0, le=2**53, description="The `next` of the page before; 0 for the first page."), DIGITS
    ] = 0


class ImportedRow(Record, frozen=True):
    """What became of a row, or of one thing or member in it."""

    row: Annotated[int, kept("Which row of the file, as spreadsheets count", example=5)]
    outcome: Annotated[RowOutcome, kept("What became of it", example="changed")]
    kind: Annotated[
        Text32, kept("Of what: `product`, `certification` or `claim`", none="of the row itself", example="product")
    ]
    of: Annotated[
        ToldText,
        kept(
            "The product's GTIN, and the code of what it holds or claims",
            none="of the row itself",
            example="00012345678905",
        ),
    ]
    member: Annotated[
        ToldText, kept("Which member was changed, or which column is meant", none="for neither", example="brand")
    ]
    before: Annotated[
        ToldText | None,
        kept("What it was, or what stands in the refused column", none="where there was nothing", example="Acme"),
    ]
    after: Annotated[ToldText | None, kept("What it is", none="where there is nothing", example="Acme Foods")]
    reason: Annotated[
        ToldText, kept("Why it was refused, or what was mended", none="for neither", example="zeros were lost")
    ]


class ImportedRows(NamedTuple):
    """Some of what became of rows, and where the rest begins: None at the end, as far as it is done."""

    rows: list[ImportedRow]
    next: int | None


Counts = dict[str, dict[str, int]]
"""What became of the rows: see `files.importing.Tally`."""


class Import(Record, frozen=True):
    """Files that are put in, or were."""

    id: Annotated[ShortId, kept("Its id")]
    organization_id: Annotated[ShortId, kept("The id of the organisation for which it is")]
    name: Annotated[Text255, kept("What its files are called", example="products.csv")]
    state: Annotated[ImportState, kept("How far it has come", example="running")]
    policy: Annotated[BulkPolicy, kept("What becomes of the other rows when some are refused", example="REJECT_ALL")]
    existing: Annotated[Existing, kept("What becomes of rows about what is there already", example="update")]
    dry_run: Annotated[bool, kept("Whether it only shows what would be done")]
    columns: Annotated[
        dict[str, str], kept("What each of its columns was taken for", example={"EAN": "gtin", "Name": "product.name"})
    ]
    map: Annotated[
        dict[str, str], kept("What columns were said to be, where that is not found out", example={"EAN": "gtin"})
    ]
    map_of: Annotated[ShortId | None, kept("The id of the import whose `map` it is", none="where it was sent")]
    position: Annotated[int, kept("How many rows are done so far, or on a dry run judged")]
    percent: Annotated[
        int, kept("How much of the work is done, of 100: under `REJECT_ALL` the first half of it judges all rows")
    ]
    counts: Annotated[Counts, kept("What became of the rows, of the things in them, and why rows were refused")]
    error: Annotated[ToldText, kept("Why it failed", none="while it has not")]
    created_at: Annotated[datetime, kept("When it began", example="2026-11-30T12:00:00+00:00")]
    updated_at: Annotated[datetime, kept("When it last went on", example="2026-11-30T12:00:40+00:00")]
    finished_at: Annotated[datetime | None, kept("When it ended", none="while it runs")]

    def remaining_seconds(self, now: datetime) -> int | None:
        """How long it may still take, None where that cannot be told."""
        if self.finished_at is not None or not self.percent:
            return None
        return int((now - self.created_at).total_seconds() * (100 - self.percent) / self.percent)
