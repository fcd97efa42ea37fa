"""What is packed, of whatever kind: nothing in it becomes so much larger that it can only be meant to harm."""

import zipfile
import zlib

MAX_RATIO = 200
"""How many times a part may become larger; what people write becomes some ten times larger."""

SMALL = 1 << 20
"""Bytes up to which a part may become as much larger as it likes."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What Python raises of a ZIP that is damaged, or of a kind that it does not read."""


def is_far_larger(unpacked: int, packed: int) -> bool:
    """Whether so many bytes became far more than anybody's do."""
    return unpacked > SMALL and unpacked > MAX_RATIO * packed


def is_blown_up(part: zipfile.ZipInfo) -> bool:
    """Whether a part would become far larger than it is; Python reads no more of it than it says here."""
    return is_far_larger(part.file_size, part.compress_size)
