"""What was found when rows were judged, kept in a file of its own that ends with it, so that it is found but once."""

import pickle
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from resolvers.importing import PART, Done, Planned

R = TypeVar("R")


class JudgedBatch(NamedTuple, Generic[R]):
    """Rows that were planned together, up to a row of all, and how much of all files was read by then."""

    rows: Sequence[R]
    position: int
    share: float
    planned: Planned


class Judged(Generic[R]):
    """The batches of files, none of whose rows was refused, one behind the other: their length costs no memory.

    It has all of them unless the disk had no room for them.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.is_whole = True

    def add(self, batch: JudgedBatch[R]) -> Iterator[None]:
        """Keeps a batch, in steps between which others may have their turn."""
        rows, position, share, planned = batch
        # What its parts share is written once.
        write = pickle.Pickler(self._file, pickle.HIGHEST_PROTOCOL).dump
        yield from self._write(write, (position, share, planned._replace(done=[])))
        for start in range(0, len(rows), PART):
            part = slice(start, start + PART)
            yield from self._write(write, (rows[part], planned.done[part]))
        yield from self._write(write, None)

    def end(self) -> None:
        """Says that those of a file have come to their end."""
        for _ in self._write(pickle.Pickler(self._file).dump, None):
            pass

    def _write(self, write: Any, what: object) -> Iterator[None]:
        if not self.is_whole:
            return
        try:
            write(what)
        except OSError:
            self.is_whole = False
        yield

    def begin(self) -> None:
        """Goes back to the first."""
        self._file.seek(0)

    def next(self) -> JudgedBatch[R] | None:
        """The next of a file; None at its end."""
        read = pickle.Unpickler(self._file).load  # noqa: S301 - nobody else reaches the file
        head = read()
        if head is None:
            return None
        position, share, planned = head
        rows: list[R] = []
        done: list[Done] = []
        while (part := read()) is not None:
            rows += part[0]
            done += part[1]
            # A thread that reads gives way to that of the event loop.
            time.sleep(0)
        return JudgedBatch(rows, position, share, planned._replace(done=done))

    def close(self) -> None:
        """Ends it, with its file."""
        self._file.close()
