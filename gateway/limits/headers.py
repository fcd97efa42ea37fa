"""What every answer says about rate limits: the contract's headers (1.7), their older aliases, and the IETF field.

`RateLimit-Policy` and the `RateLimit-*` triple are those of the contract, an older draft's. `RateLimit` is the field of
draft-ietf-httpapi-ratelimit-headers-10, a list of structured-field strings with parameters; that draft has its own form
of `RateLimit-Policy`, which the contract's takes the place of.
"""

from functools import lru_cache
from math import ceil

from gateway.limits.budgets import DAY, MINUTE, BudgetState, WindowLimits


@lru_cache(maxsize=256)
def _form(limits: WindowLimits, reported: int) -> bytes:
    """The lines of somebody with these limits, but for what changes from one request to the next."""
    return (
        b"ratelimit-policy: %d;w=%d, %d;w=%d\r\nratelimit-limit: %d\r\nx-ratelimit-limit: %d\r\n"
        % (limits.minute, MINUTE, limits.day, DAY, reported, reported)
        + b"ratelimit-remaining: %d\r\nratelimit-reset: %d\r\n"
        b"x-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\n"
        b'ratelimit: "minute";r=%d;t=%d, "day";r=%d;t=%d\r\n'
    )


def limit_lines(standing: BudgetState) -> bytes:
    """The header lines of a standing.

    The window reported is the one that trips first. Seconds are rounded up: who waits as long as
    told finds the window over.
    """
    limits, now = standing.limits, standing.now
    minute, day, minute_trips_first = standing.windows()
    minute_reset, day_reset = ceil(standing.minute_end - now), ceil(standing.day_end - now)
    if minute_trips_first:
        limit, left, reset, end = limits.minute, minute, minute_reset, standing.minute_end
    else:
        limit, left, reset, end = limits.day, day, day_reset, standing.day_end
    return _form(limits, limit) % (left, reset, left, ceil(end), minute, minute_reset, day, day_reset)
