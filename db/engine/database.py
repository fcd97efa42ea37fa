"""One interface to either database, which `db.engine.opening` opens.

Statements are SQLAlchemy Core, compiled once (`db.sql.compiled`) and run on the bare driver. Nobody outside `db/`
sees a row or a connection.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from functools import cached_property
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Dialect, Table, false, update
from sqlalchemy.sql.dml import Delete, Update

from db.engine.trouble import BUSY, FULL, UNREACHABLE, UNUSABLE, Trouble, trouble_of
from db.sql import writes
from db.sql.compiled import Compiled
from db.sql.reads import Definitions, Owners, R, Read, Row
from db.sql.tables import secrets

Values = Mapping[str, Any]

CHANNEL = "certgate_keys"
"""The channel over which PostgreSQL tells each process that others have changed something."""
CHECK_SECONDS = 1.0
"""How long `Database.check` waits for a lock."""
_LOG_SECONDS = 10
_CHANGE_NOTHING = update(secrets).values(value=secrets.c.value).where(false())

log = logging.getLogger("certgate.database")

DEFINITIONS = frozenset({"certification_bodies", "certifications", "claims"})
"""The tables that are held in memory (see `db.definitions`)."""

PART = 100
"""Rows that are made at a time of what is inserted in parts."""

written: ContextVar[Callable[[int], None] | None] = ContextVar("written", default=None)
"""Who wants to know the position behind each write of this request, where the database has servers that follow it."""

T = TypeVar("T")
Make = Callable[[list[Row]], T]
"""From the rows of a statement, as the driver gives them, to what comes of them; in whatever thread has them."""


class Pace(NamedTuple):
    """How often it is made sure that this process hears of what others change, in seconds (see `db.engine.hearing`)."""

    period: float = 2.0
    """Between two proofs, and before another attempt to listen; on SQLite between two looks for the file."""
    patience: float = 3.0
    """How long each step of a proof may take."""
    bound: float = 10.0
    """How long a proof holds, from the moment in which it was begun: what was revoked is refused after so long."""


class Transaction(ABC):
    """The handle to one write transaction. It commits when its block ends and rolls back when the block raises.

    Inside the block, errors of the database are the driver's own.
    """

    def __init__(self, database: "Database", dialect: Dialect) -> None:
        self.database = database
        self._dialect = dialect
        self.notified = False
        self.single = False
        """Whether `insert_alone` may be tried."""
        self.is_told = False
        """Whether `insert_alone` has written to the log what the transaction does."""

    async def fetch(
        self,
        read: Read[R],
        found: Definitions | None = None,
        owners: Owners = (),
        /,
        *,
        lock: Table | None = None,
        **values: Any,
    ) -> list[R]:
        """The records of a read as this transaction sees them; `found` and `owners` as in `Database.fetch`.

        `lock` names the table whose rows stay locked until the end, as every read-modify-write needs; SQLite has
        locked the whole file by then and ignores it.
        """
        built = read.compiled(self._dialect, lock)
        return built.records(await self._rows(built.statement, values, scans=read.scans), found, owners)

    async def read(self, read: Read[Any], make: Make[T], /, *, lock: Table | None = None, **values: Any) -> T:
        """What is made of the rows of a read; `lock` as of `fetch`."""
        return make(await self._rows(read.compiled(self._dialect, lock).statement, values, scans=read.scans))

    async def insert(self, table: Table, values: dict[str, Any], *, unless: tuple[str, ...] | None = ()) -> bool:
        """Inserts one row. With `unless`, a row with equal values in those columns wins, and the answer is False.

        None stands for the columns of any unique index.
        The database decides that race: a second inserter waits for the first one's commit.
        """
        self._writes(table)
        columns = tuple(values)
        if unless is None or unless:
            statement = writes.insert_unless(self._dialect, table, columns, unless)
        else:
            statement = writes.insert(self._dialect, table, columns)
        return await self._count(statement, values) == 1

    async def insert_alone(
        self, table: Table, values: dict[str, Any], *, unless: tuple[str, ...], owner: str, entry: dict[str, Any]
    ) -> bool:
        """Inserts one row about a product that belongs to `owner`, as the only thing that the transaction does.

        `entry` is the row of the log that tells of it.

        False where there is no such product, where another row has equal values in the columns of `unless`, and where
        the database gains nothing by it; then nothing was done, and the transaction may do something else.
        """
        return False

    async def upsert(self, table: Table, rows: list[dict[str, Any]], *, key: str) -> None:
        """Inserts rows; where the key exists, the other columns given are overwritten."""
        if rows:
            self._writes(table)
            await self._many(writes.upsert(self._dialect, table, tuple(rows[0]), key), rows)

    async def insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> int:
        """Inserts rows, but for those that share a unique value with a stored one, which stays; how many are new."""
        if not rows:
            return 0
        self._writes(table)
        return await self._insert_missing(table, rows)

    async def insert_new(self, table: Table, rows: Sequence[dict[str, Any]]) -> bool:
        """Inserts rows. False where one shares a unique value with another: the transaction is of no use then."""
        return await self.insert_in_parts(table, rows) == len(rows)

    async def insert_in_parts(self, table: Table, rows: Iterable[dict[str, Any]]) -> int:
        """The same for any number of rows: others have their turn in the event loop while they are made."""
        each, count = iter(rows), 0
        while part := list(islice(each, PART)):
            count += await self.insert_missing(table, part)
        return count

    async def execute(self, statement: Update | Delete, values: Values | None = None, *, scans: bool = False) -> int:
        """Runs an update or delete; the answer is the number of rows it touched.

        `values` are the statement's parameters, and for an update new values by column. A statement that stands in a
        module is compiled once for each set of names; one made for the occasion costs a third of a millisecond each
        time.
        `scans` marks one that may have to look at many rows.
        """
        self._writes(statement.table)
        values = values or {}
        return await self._count(writes.change(self._dialect, statement, tuple(sorted(values))), values, scans=scans)

    def _writes(self, table: Any) -> None:
        # The database tells of changed definitions by itself, and this process a moment after the commit.
        if table.name in DEFINITIONS:
            self.notified = True

    @abstractmethod
    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """A block whose statements are undone when it raises, while those before it stay. Not to be nested."""

    async def notify(self, channel: str) -> None:
        """Tells every process, once this transaction has committed. SQLite's readers notice by themselves."""
        self.notified = True

    @abstractmethod
    async def serialize(self, work: str) -> None:
        """Waits for the end of every transaction, in whichever process, that was told of the same work."""

    @abstractmethod
    async def plan_anew(self) -> None:
        """Has statements planned for the tables as they are by now: for work in which these grow from nothing.

        PostgreSQL would keep to what was quickest while they were empty.
        """

    @abstractmethod
    async def count_anew(self, tables: Iterable[Table]) -> None:
        """Has the database look how much is in tables into which many rows have come, to find rows the shortest way.

        PostgreSQL does it by itself, too, but only some time later.
        """

    @abstractmethod
    async def _rows(self, statement: Compiled, values: Values, *, scans: bool = False) -> list[Row]:
        """The rows of a statement, not yet decoded."""

    @abstractmethod
    async def _count(self, statement: Compiled, values: Values, *, scans: bool = False) -> int:
        """Runs a statement; how many rows it inserted, changed or deleted."""

    @abstractmethod
    async def _many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        """Runs a statement once for each row."""

    @abstractmethod
    async def _insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> int:
        """Inserts those rows in whose way nothing is; how many."""


class Database(ABC):
    """A database that is open. Close it once, at the end of the process."""

    dialect: Dialect
    waits: bool
    """Whether what is read by key is waited for, so that reads at the same time gain something."""
    sharded = False
    """Whether the rows of products lie on several servers (see `db.sharding`)."""
    has_indexes = True
    """Whether lists are found by indexes of their own."""
    is_replicated = False
    """Whether there are servers that follow it (see `db.engine.replicas`)."""
    held: Any = None
    """What `db.definitions` keeps in memory of this database."""
    cursor_secret: str | None = None
    """What `db.secrets` has read."""
    failing: Trouble | None = None
    """Why the last write failed, where that does not show before one writes."""
    _logged: Trouble | None = None
    _log_again = 0.0

    @property
    def waiting(self) -> int:
        """Who waits for a connection, or for a turn to write."""
        return 0

    @cached_property
    def troubles(self) -> Counter[str]:
        """How often which trouble befell it."""
        return Counter()

    @property
    def database(self) -> "Database":
        """Itself: what a read that takes a database or a transaction asks of either."""
        return self

    async def fetch(
        self, read: Read[R], found: Definitions | None = None, owners: Owners = (), /, **values: Any
    ) -> list[R]:
        """The committed records of a read, in the statement's order but for those of several keys. Raises `Busy`
        when something befell the database.

        `found` has the definitions of a read that is `defined`; `KeyError` is raised for one that it lacks. `owners`
        are the organisations whose notes may be read: all others' metadata come empty.
        """
        records = read.compiled(self.dialect).records
        return await self.read(read, lambda rows: records(rows, found, owners), **values)

    @abstractmethod
    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the committed rows of a read, whose columns are those of its statement. Raises as `fetch`."""

    @abstractmethod
    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """How the database would go about a statement, line by line; nothing is done. Raises what the driver does."""

    def foreseen(self, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as `Transaction.insert_new` takes them in the least time; made in a thread before there is one."""
        return rows

    def at_once(self, read: Read[Any], values: Values) -> list[Row] | None:
        """The committed rows of a read, of `keys` that differ; None where one waits for them. Raises as `fetch`."""
        return None

    @abstractmethod
    def write(self, *, single: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction: `async with database.write() as transaction`. Durable once the block has ended.

        `single` promises that the block cannot fail any more after `Transaction.insert_alone` has answered True.

        Raises `Busy` when the database is held up by others for too long, or when the block itself is, and when
        something befell the database. Nothing is stored then, but for a connection that was lost during the commit:
        nobody knows what became of that.
        """

    async def check(self) -> None:
        """Whether it can be written to. Raises `Busy`, whose reason says why not."""
        failing = self.failing
        try:
            # It costs the disk nothing, and so does not show that there is no room on it: the last write does.
            async with asyncio.timeout(CHECK_SECONDS), self.write() as transaction:
                await transaction.execute(_CHANGE_NOTHING)
        except TimeoutError as error:
            raise BUSY.refusal() from error
        self.failing = failing
        if failing is not None:
            raise failing.refusal()

    def refuse(self, error: Exception, *, writing: bool = False, gone: bool = False) -> None:
        """Raises `Busy` where an error says that something befell the database, which is logged then.

        `gone` where that is all that an error without a code can mean.
        """
        trouble = trouble_of(error) or (UNREACHABLE if gone else None)
        if trouble is None:
            return
        if writing and trouble in (FULL, UNUSABLE):
            self.failing = trouble
        self.troubles[trouble.name] += 1
        if trouble is not BUSY:
            now = monotonic()
            # One line for all that fail in the same way, not one for each request.
            if trouble is not self._logged or now >= self._log_again:
                self._logged, self._log_again = trouble, now + _LOG_SECONDS
                log.warning("The database is %s (%s: %s).", trouble.name, type(error).__name__, error)
        raise trouble.refusal() from error

    def since(self, position: int) -> "Database":
        """The database for a request that only reads, and has to see what is at that position of the log."""
        return self

    @property
    def left_out(self) -> int:
        """How many of the servers that follow it are not read from."""
        return 0

    @abstractmethod
    def epoch(self) -> object:
        """A value that changes whenever another connection may have committed something that caches depend on."""

    @abstractmethod
    async def hears(self) -> bool:
        """Whether this process hears of what others change. While it does not, each epoch is a new one."""

    @abstractmethod
    async def close(self) -> None:
        """Lets the writes that wait finish, and closes every connection."""


class UnusableDatabase(Exception):
    """The database answers, but cannot hold our data; the text is one sentence with the remedy."""
