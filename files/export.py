"""The door: a list of the gateway as a file in one of the formats, in parts that can be sent as they come."""

from collections.abc import AsyncIterator

from domain.errors import InvalidInput, Violation
from domain.filters import Where
from domain.records import ClaimAssignment
from domain.vocabulary import FileFormat
from files.csv import csv_of
from files.documents import graph_of, report_of
from files.jsonl import jsonl_of
from files.lists import pages
from files.tables import columns_of
from files.xlsx import xlsx_of
from resolvers.listed import ListOperations
from resolvers.operation import Context


def export(
    context: Context,
    listed: ListOperations,
    where: Where,
    format: FileFormat,
    *,
    for_excel: bool = False,
    without: frozenset[str] = frozenset(),
) -> AsyncIterator[bytes]:
    """The records of a list that pass the filter, as a file. Members in `without` are left out of tables.

    `for_excel` makes a CSV that Excel opens without harm. Raises what reading the list raises, some of it before the
    first part: who sends the parts should have the first one before promising that all will be well.
    """
    found = pages(context, listed, where)
    match format:
        case FileFormat.CSV:
            return csv_of(found, columns_of(listed.of.record, without), for_excel=for_excel)
        case FileFormat.XLSX:
            return xlsx_of(found, columns_of(listed.of.record, without), listed.of.called)
        case FileFormat.JSON_LINES:
            return jsonl_of(found, without)
        case FileFormat.JSON_LD:
            return graph_of(context, listed.of.record, found)
        case FileFormat.GS1_US:
            if listed.of.record is ClaimAssignment:
                message = "GS1 US's profile has no claims; ask for jsonld"
                raise InvalidInput([Violation(("format",), message, "no_claims")])
            return report_of(context, listed.of.record, found)
