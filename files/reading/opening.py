"""The door: what a file is, by what is in it and never by its name."""

import gzip
import io
import zlib
from typing import IO, cast

from files.reading.delimited import table_of_lines
from files.reading.encodings import SAMPLE
from files.reading.objects import table_of_json, table_of_json_lines
from files.reading.parquet import table_of_parquet
from files.reading.table import Table, unreadable
from files.reading.workbook import table_of_workbook

_FOREIGN = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of before 2007 (.xls); save it as .xlsx",
    b"<": "a page or a document in XML",
    b"7z\xbc\xaf": "an archive; send the files in it",
    b"Rar!": "an archive; send the files in it",
}


def table_of(file: IO[bytes], name: str, encoding: str | None = None) -> Table:
    """The table in a file, which can be sought in and stays open as long as it is read. Raises `InvalidInput`.

    What is compressed with gzip is unpacked while it is read.
    """
    sample, packed = _sample(file, name), None
    if sample.startswith(b"\x1f\x8b"):
        packed = file.seek(0, io.SEEK_END)
        file.seek(0)
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=file))
        sample = _sample(file, name)
    if not sample.strip():
        raise unreadable(f"{name} is empty; its first row should name the columns")
    if sample.startswith(b"PK"):
        return table_of_workbook(file, name)
    if sample.startswith(b"PAR1"):
        return table_of_parquet(file, name)
    begins = sample.removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, what in _FOREIGN.items():
        if begins.startswith(mark):
            raise unreadable(f"{name} is no table but {what}")
    if begins.startswith(b"["):
        return table_of_json(file, name)
    if begins.startswith(b"{"):
        # The first object of JSON lines ends where its line does.
        first = begins.partition(b"\n")[0].rstrip()
        is_lines = first.endswith(b"}") or b"\n" not in begins
        return table_of_json_lines(file, name) if is_lines else table_of_json(file, name)
    return table_of_lines(file, name, sample, encoding, packed)


def _sample(file: IO[bytes], name: str) -> bytes:
    try:
        sample = file.read(SAMPLE)
        file.seek(0)
    except (EOFError, OSError, zlib.error) as error:
        raise unreadable(f"{name} breaks off or is damaged: {error}; send it again") from None
    return sample
