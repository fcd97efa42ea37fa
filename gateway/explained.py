"""What an operation asks of the database: it is run once, and every read is noted."""

from collections.abc import Mapping
from typing import Any

from db import definitions
from db.engine.database import Database, Make, T
from db.engine.view import View
from db.secrets import cursor_secret
from db.sql.reads import KeyedRead, Read
from domain.access import Caller
from domain.problem import ErrorPages
from domain.vocabulary import Role
from execution.documents.document import Document, Operation
from execution.errors import Refusal, RequestError
from execution.executor import Executor
from gateway.failures import Failure
from resolvers.operation import Context as OperationContext
from resolvers.organizations import existing
from schema.context import GraphQLContext, OperationCharge, RateWindows


class Noted(View):
    """A database that notes what is read through it. It shares what the other one holds in memory."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads: list[str] = []

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the rows of a read, which is noted with their number."""
        if isinstance(read, KeyedRead):
            read, values = read.of(values["keys"])
        number, made = await self.under.read(read, lambda rows: (len(rows), make(rows)), **values)
        sql = " ".join(read.compiled(self.dialect).statement.sql.split())
        where = ", in a thread" if read.scans and self.dialect.name == "sqlite" else ""
        self.reads.append(f"{number} row{'' if number == 1 else 's'}{where}: {sql}")
        return made


async def statements(
    database: Database,
    executor: Executor,
    document: Document,
    operation: Operation,
    variables: Mapping[str, Any],
    organization: str,
) -> list[str]:
    """The reads of a query, run as a reader of that organisation, in the order in which they ended.

    Raises `NotFound` for an unknown organisation, `Failure` for what is no query, `RequestError` for wrong variables.
    """
    if operation.kind.value != "query":
        raise Failure("Only a query is run to show its statements: leave --variables out for a mutation.")
    noted = Noted(database)
    caller = Caller(None, None, Role.READONLY, await existing(database, organization))
    context = GraphQLContext(
        OperationContext(noted, caller), "explain", ErrorPages("", ""), OperationCharge(1, 0), _uncounted
    )
    # A server reads definitions and the cursors' secret once; that is not the query's.
    await definitions.current(database)
    noted.held, noted.cursor_secret = database.held, await cursor_secret(database)
    result = await executor.run(document, operation, variables, context)
    if result.errors:
        raise RequestError(Refusal.OPERATION, result.errors)
    return noted.reads


async def _uncounted() -> RateWindows:
    raise Failure("Nobody's requests are counted here: leave rateLimit out of the document.")
