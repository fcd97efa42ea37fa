"""How webhooks are delivered: when what failed is tried again, and how it is signed (Standard Webhooks 1.0)."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

AGAIN = tuple(
    timedelta(seconds=seconds) for seconds in (5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
)
"""How long is waited behind each try that failed; behind the last one, three days on, nothing more is sent."""

JITTER = 0.2
"""By how much of itself a wait may be longer, so that what failed together is not tried together."""

MOST_ASKED = timedelta(hours=24)
"""No receiver is waited for longer, whatever it asks for."""

GONE = 410
"""What a receiver answers that wants nothing more."""


class Answer(NamedTuple):
    """What became of one request to a receiver."""

    status: int | None
    """None without an answer that can be read."""
    text: str
    """How the answer begins, or why there was none."""
    result: str
    """One of `RESULTS`."""
    after: timedelta | None = None
    """For how long the receiver asks not to be called."""

    @property
    def arrived(self) -> bool:
        """Whether the receiver has it."""
        return self.result == "delivered"


RESULTS = ("delivered", "refused", "timeout", "unreachable", "unreadable", "forbidden")
"""Taken; answered with another status; too late; not reached; no HTTP; not to be called from here."""


def wait_behind(failures: int, asked: timedelta | None, jitter: float) -> timedelta | None:
    """How long to wait behind so many failures, 1 or more; None when it is given up. `jitter` is from 0 to 1."""
    if failures > len(AGAIN):
        return None
    wait = AGAIN[failures - 1] * (1 + JITTER * jitter)
    return max(wait, min(asked, MOST_ASKED)) if asked else wait


def signature(keys: Sequence[bytes], id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of what is sent: one by each key, of which the receiver has to know one."""
    signed = b"%s.%d.%s" % (id.encode(), timestamp, body)
    return " ".join(f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys)


def key_of(secret: str) -> bytes:
    """What signs, of a secret as it is told."""
    return b64decode(secret.removeprefix("whsec_"))
