"""Up to where in the database's log somebody has written, so that they read what they wrote.

For each credential in memory that all workers of a machine have in common, without a lock; for whoever goes on at
another machine, in a header.
"""

import mmap
from collections.abc import Sequence

from domain.errors import BadRequest

HEADER = "Certgate-Position"
_PLACES = 1 << 16
_MOST = (1 << 63) - 1


class SharedPositions:
    """The memory, made before there are workers: half a megabyte for each."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self.numbers = memoryview(mmap.mmap(-1, workers * _PLACES * 8)).cast("Q")


class Positions:
    """The positions as one worker notes them.

    A place is found by the hash of the credential. Those of one hash wait for each other's writes, which harms nobody.
    """

    def __init__(self, shared: SharedPositions, worker: int = 0) -> None:
        self._numbers = shared.numbers
        self._begins: Sequence[int] = range(0, shared.workers * _PLACES, _PLACES)
        self._own = worker * _PLACES

    def note(self, who: str, position: int) -> None:
        """They have written up to there."""
        at = self._own + hash(who) % _PLACES
        self._numbers[at] = max(position, self._numbers[at])

    def of(self, who: str) -> int:
        """Up to where they have written; 0 for nowhere."""
        at = hash(who) % _PLACES
        return max([self._numbers[begin + at] for begin in self._begins])


def shown(position: int) -> bytes:
    """A position as the header has it."""
    return b"%x" % position


def read(text: str) -> int:
    """The position of a header, 0 for none. Raises `BadRequest`."""
    try:
        position = int(text, 16) if text else 0
    except ValueError:
        position = -1
    if not 0 <= position <= _MOST:
        raise BadRequest(f"The header {HEADER} is not as an answer had it; send it as it came, or leave it out.")
    return position
