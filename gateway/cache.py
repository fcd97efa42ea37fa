"""What was read of the database, kept at hand until anything about it may have changed, in whichever process."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from db.engine.database import Database

K = TypeVar("K")
V = TypeVar("V")


class DatabaseCache(Generic[K, V]):
    """Values by their names. Their sizes together are `most` at most: before that, all are forgotten."""

    def __init__(self, database: Database, most: int, size: Callable[[V], int] = lambda _: 1) -> None:
        self._database = database
        self._most = most
        self._size_of = size
        self._values: dict[K, V] = {}
        self._epoch: object = None
        self.size = 0
        """Of all values together."""

    def get(self, name: K) -> V | None:
        """The value of that name; None when it has to be read."""
        epoch = self._database.epoch()
        if epoch != self._epoch:
            self._forget()
            self._epoch = epoch
        return self._values.get(name)

    async def read(self, name: K, reading: Awaitable[V | None]) -> V | None:
        """What the reading gives, which is kept; but not None, nor what was read before a change was announced.

        `get` has been asked at once before.
        """
        epoch = self._epoch
        value = await reading
        if value is not None and epoch == self._epoch:
            if name not in self._values:
                size = self._size_of(value)
                if self.size + size > self._most:
                    self._forget()
                self.size += size
            self._values[name] = value
        return value

    def _forget(self) -> None:
        self._values.clear()
        self.size = 0
