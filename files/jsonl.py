"""JSON lines: one object a record, with all of its members and its definition inside it."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from domain.records import Record

_encode = msgspec.json.Encoder().encode_lines


async def jsonl_of(
    pages: AsyncIterator[Sequence[Record]], without: frozenset[str] = frozenset()
) -> AsyncIterator[bytes]:
    """The file in parts, one a page; some members may be left out."""
    left_out = without | {"earlier_days"}
    async for page in pages:
        yield _encode(
            [
                {name: getattr(record, name) for name in record.__struct_fields__ if name not in left_out}
                for record in page
            ]
        )
