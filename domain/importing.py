"""What the rows of a file ask for, and what may be said of them as a whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from domain.members import kept
from domain.records import Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import DIGITS, Command, Moment, Text, Text255
from domain.vocabulary import BulkPolicy, DataSource, Vocabulary


class Existing(Vocabulary):
    """What becomes of a row that is about something that is there already."""

    UPDATE = "update", "What differs is changed; an empty cell leaves what is there."
    SKIP = "skip", "It is left as it is."
    REFUSE = "refuse", "The row is refused."


class AskedAssignment(NamedTuple):
    """A certification or a claim that a row asks for: what names it, the strongest first, and its members."""

    named: tuple[str, ...]
    members: Mapping[str, Any]


class AskedRow(NamedTuple):
    """What one row asks for. `place` says which row it is, for people."""

    place: str
    gtin: str
    product: Mapping[str, Any] | None = None
    certifications: Sequence[AskedAssignment] = ()
    claims: Sequence[AskedAssignment] = ()
    restored: Mapping[str, Any] = {}
    """What only our exports have, for what is made anew: see `Restored`."""


class Restored(Command):
    """What a record had in the installation from which it comes."""

    id: ShortIdField | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1), DIGITS] | None = None
    data_source: DataSource | None = None


class ImportState(Vocabulary):
    """How far an import has come."""

    RUNNING = "running", "It is being done, or was being done when its process ended: it goes on where it was."
    DONE = "done", "All rows were done, but for those that were refused."
    REFUSED = "refused", "Nothing was done, because rows were refused and the policy is REJECT_ALL."
    FAILED = "failed", "It could not be gone on with; what it had done by then stays."


Counts = dict[str, dict[str, int]]
"""What became of the rows: see `files.importing.Tally`."""


class Import(Record, frozen=True):
    """Files that are put in, or were."""

    id: Annotated[ShortId, kept("Its id")]
    organization_id: Annotated[ShortId, kept("The id of the organisation for which it is")]
    name: Annotated[Text255, kept("What its files are called", example="products.csv")]
    state: Annotated[ImportState, kept("How far it has come")]
    policy: Annotated[BulkPolicy, kept("What becomes of the other rows when some are refused")]
    existing: Annotated[Existing, kept("What becomes of rows about what is there already")]
    dry_run: Annotated[bool, kept("Whether it only shows what would be done")]
    position: Annotated[int, kept("How many rows are done so far")]
    percent: Annotated[int, kept("How much of the files is read, of 100")]
    counts: Annotated[Counts, kept("What became of the rows, of the things in them, and why rows were refused")]
    error: Annotated[Text, kept("Why it failed", none="while it has not")]
    created_at: Annotated[datetime, kept("When it began")]
    updated_at: Annotated[datetime, kept("When it last went on")]
    finished_at: Annotated[datetime | None, kept("When it ended", none="while it runs")]
