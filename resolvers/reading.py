"""Reads by key that are declared: general operations make records of their rows, and GraphQL may make answers of them.

Whichever way is taken, the same is asked of the caller and the same is shown to it.
"""

from functools import partial
from typing import Any, cast

from db import definitions
from db.definitions import Reader
from db.sql.reads import KeyedRead
from domain.access import Permission, require
from domain.records import Record
from resolvers.operation import Context


class Source:
    """The rows of a read; `definition` is the member of its `record` that is held in memory, "" where none is."""

    def __init__(self, read: KeyedRead[Any]) -> None:
        self.read = read
        self.record: type[Record] = cast("Any", read.build)
        self.definition = self.record.__struct_fields__[-1] if read.defined else ""
        self.fill = partial(definitions.fill, read)
        """Fills lists with what a shape makes of the rows of their keys (see `db.definitions.fill`)."""

    def reader(self, context: Context) -> Reader:
        """What its reads in that context have in common. Raises `Forbidden`."""
        caller = context.caller
        require(caller, Permission.READ)
        public = not caller.sees_private
        return definitions.reader(context.database, caller.organization_ids, context.today, public=public)
