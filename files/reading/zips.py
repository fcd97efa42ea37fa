"""What a ZIP may be like, of whatever kind: nothing in it becomes so much larger that it can only be meant to harm."""

import zipfile
import zlib

MAX_RATIO = 200
"""How many times a part may become larger; what people write becomes some ten times larger."""

SMALL = 1 << 20
"""Bytes up to which a part may become as much larger as it likes."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""What Python raises of a ZIP that is damaged, or of a kind that it does not read."""


def is_blown_up(part: zipfile.ZipInfo) -> bool:
    """Whether a part would become far larger than it is; Python reads no more of it than it says here."""
    return part.file_size > SMALL and part.file_size > MAX_RATIO * part.compress_size
