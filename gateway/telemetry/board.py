"""What the workers of one server show one another: memory that they share from before they are forked.

Each writes to a place of its own. Who takes the place of a worker that died goes on with its figures, so that sums
never become less.
"""

import mmap
import struct
import zlib

PLACE_BYTES = 1 << 20
"""For one worker. Only what is written to is taken from the system."""

_HEAD = struct.Struct("<QI")
"""The length of what is written, and its checksum: who reads in the middle of a write notices."""
_TRIES = 100


class Board:
    """A place for each of so many workers; to be made before they are forked."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._memory = mmap.mmap(-1, places * PLACE_BYTES)

    def write(self, place: int, text: bytes) -> bool:
        """Writes to a place; False for what is too long, which leaves what was there."""
        if len(text) > PLACE_BYTES - _HEAD.size:
            return False
        start = place * PLACE_BYTES
        end = start + _HEAD.size
        self._memory[end : end + len(text)] = text
        self._memory[start:end] = _HEAD.pack(len(text), zlib.crc32(text))
        return True

    def read(self, place: int) -> bytes:
        """What a place has; nothing where nobody has written, or where its worker died within a write."""
        start = place * PLACE_BYTES
        end = start + _HEAD.size
        for _ in range(_TRIES):
            length, checksum = _HEAD.unpack(self._memory[start:end])
            text = self._memory[end : end + min(length, PLACE_BYTES - _HEAD.size)]
            if zlib.crc32(text) == checksum:
                return text
        return b""

    def read_all(self) -> list[bytes]:
        """What the places have, in their order."""
        return [self.read(place) for place in range(self._places)]
