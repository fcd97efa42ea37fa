"""What every answer says about rate limits: the contract's headers (1.7), their older aliases, and the IETF field.

`RateLimit-Policy` and the `RateLimit-*` triple are those of the contract, an older draft's. `RateLimit` is the field of
draft-ietf-httpapi-ratelimit-headers-10, a list of structured-field strings with parameters; that draft has its own form
of `RateLimit-Policy`, which the contract's takes the place of.
"""

from functools import lru_cache
from math import ceil

from gateway.limits.budgets import DAY, MINUTE, BudgetState, WindowLimits

Header = tuple[bytes, bytes]


@lru_cache(maxsize=256)
def _of_limits(limits: WindowLimits, reported: int) -> list[Header]:
    policy = b"%d;w=%d, %d;w=%d" % (limits.minute, MINUTE, limits.day, DAY)
    limit = b"%d" % reported
    return [(b"ratelimit-policy", policy), (b"ratelimit-limit", limit), (b"x-ratelimit-limit", limit)]


def limit_headers(standing: BudgetState) -> list[Header]:
    """The headers of a standing, for an ASGI message.

    The window reported is the one that trips first. Seconds are rounded up: who waits as long as
    told finds the window over.
    """
    limits, now = standing.limits, standing.now
    minute, day, minute_trips_first = standing.windows()
    minute_left, day_left = b"%d" % minute, b"%d" % day
    minute_reset, day_reset = b"%d" % ceil(standing.minute_end - now), b"%d" % ceil(standing.day_end - now)
    if minute_trips_first:
        limit, left, reset, end = limits.minute, minute_left, minute_reset, standing.minute_end
    else:
        limit, left, reset, end = limits.day, day_left, day_reset, standing.day_end
    return [
        *_of_limits(limits, limit),
        (b"ratelimit-remaining", left),
        (b"ratelimit-reset", reset),
        (b"x-ratelimit-remaining", left),
        (b"x-ratelimit-reset", b"%d" % ceil(end)),
        (b"ratelimit", b'"minute";r=%b;t=%b, "day";r=%b;t=%b' % (minute_left, minute_reset, day_left, day_reset)),
    ]
